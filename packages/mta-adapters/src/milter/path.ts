// Paths as a mail server gives them to a milter: what the client wrote behind MAIL FROM and RCPT TO. Called by session.ts and
// judge-recipient.ts.
import { type Mailbox, NULL_PATH, parseMailbox, printable, type ReversePath } from "@homing/srs-core";

export type MilterPath =
  | { readonly kind: "address"; readonly address: ReversePath; readonly text: string }
  /** No mailbox by RFC 5321, whatever the mail server makes of it. */
  | { readonly kind: "unreadable"; readonly text: string };

/** RFC 5321 §4.5.3.1.3 gives a path 256 octets; a source route stands before it. */
const MAX_PATH = 1024;

/** @param hostname of the mail server: a name without a domain is a user there */
export function parseMilterPath(given: string, hostname: string): MilterPath {
  const text = given.length > MAX_PATH ? "" : withoutRoute(withoutBrackets(given.trim()));
  if (given === "<>" || given === "") return { kind: "address", address: NULL_PATH, text: "" };
  const parsed = parseMailbox(text !== "" && !text.includes("@") ? `${text}@${hostname}` : text);
  return parsed.ok
    ? { kind: "address", address: parsed.mailbox, text }
    : { kind: "unreadable", text: text.slice(0, MAX_PATH) };
}

export function mailboxOf(path: MilterPath): Mailbox | undefined {
  return path.kind === "address" && path.address !== NULL_PATH ? path.address : undefined;
}

/** For the log, which has no brackets. */
export function shownPath(given: string): string {
  return printable(withoutBrackets(given));
}

function withoutBrackets(text: string): string {
  return text.startsWith("<") && text.endsWith(">") ? text.slice(1, -1) : text;
}

/** RFC 5321 appendix C: `@relay,@relay:user@domain`. */
function withoutRoute(text: string): string {
  const colon = text.startsWith("@") ? text.indexOf(":") : -1;
  return text.slice(colon + 1);
}
