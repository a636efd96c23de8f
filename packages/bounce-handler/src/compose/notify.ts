// Who is told what: the sender's NOTIFY (RFC 3461 §4.1), and mail that is never answered (RFC 3464 §2, RFC 3834 §2). Pure.
// Called by whoever writes a DSN, before it is written.
import { NULL_PATH, type ReversePath } from "@homing/srs-core";
import type { DsnAction } from "./dsn.ts";
import { fieldValues } from "./header-fields.ts";

export type Notify = "never" | readonly ("success" | "failure" | "delay")[];

/** @param notify undefined where the client gave none: then failures and delays are told, as in SMTP without DSN */
export function mayTell(notify: Notify | undefined, action: DsnAction["kind"]): boolean {
  if (notify === "never") return false;
  if (action === "failed") return notify?.includes("failure") ?? true;
  if (action === "delayed") return notify?.includes("delay") ?? true;
  return notify?.includes("success") ?? false;
}

export type MayAnswer =
  | { readonly ok: true }
  | { readonly ok: false; readonly why: "null-sender" | "list" | "auto-submitted" };

const BULK = ["bulk", "list", "junk"];

/** @param header up to its empty line, with CRLF line ends */
export function mayAnswer(sender: ReversePath, header: Buffer): MayAnswer {
  if (sender === NULL_PATH) return { ok: false, why: "null-sender" };
  const isBulk = fieldValues(header, "Precedence").some((value) => BULK.includes(firstWord(value)));
  if (isBulk || fieldValues(header, "List-Id").length > 0) return { ok: false, why: "list" };
  const isAutomatic = fieldValues(header, "Auto-Submitted").some((value) => firstWord(value) !== "no");
  return isAutomatic ? { ok: false, why: "auto-submitted" } : { ok: true };
}

/** Without parameters and comments. Linear: one class. */
function firstWord(value: string): string {
  return value.split(/[;( \t]/, 1)[0]?.toLowerCase() ?? "";
}
