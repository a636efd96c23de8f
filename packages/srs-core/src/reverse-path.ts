// The reverse-path of an envelope: a mailbox, or the null path `<>` of notifications (RFC 5321 §4.5.5).
import { type Mailbox, type ParsedMailbox, parseMailbox, renderMailbox } from "./mailbox.ts";

/** `MAIL FROM:<>`: nothing sent from here may ever cause another notification. A value, not an empty string. */
export const NULL_PATH: unique symbol = Symbol("<>");

export type ReversePath = Mailbox | typeof NULL_PATH;

export type ParsedReversePath =
  | { readonly ok: true; readonly reversePath: ReversePath }
  | Extract<ParsedMailbox, { ok: false }>;

/** Reads what stands between the angle brackets of MAIL FROM; nothing there is the null path. */
export function parseReversePath(text: string): ParsedReversePath {
  if (text === "") return { ok: true, reversePath: NULL_PATH };
  const parsed = parseMailbox(text);
  return parsed.ok ? { ok: true, reversePath: parsed.mailbox } : parsed;
}

/** The path without angle brackets: "" for the null path. */
export function renderReversePath(path: ReversePath): string {
  return path === NULL_PATH ? "" : renderMailbox(path);
}
