// Paths as a mail server gives them to a milter: what the client wrote behind MAIL FROM and RCPT TO. Called by session.ts and
// judge-recipient.ts.
import { type Mailbox, NULL_PATH, octets, parseMailbox, printable, type ReversePath } from "@homing/srs-core";
import { withoutRootDot } from "../maps/root-dot.ts";
import { isStrangelySpelt, MAX_PATH } from "../spelling.ts";

export type MilterPath = (
  | { readonly kind: "address"; readonly address: ReversePath }
  /** No mailbox by RFC 5321, whatever the mail server makes of it. */
  | { readonly kind: "unreadable" }
) & {
  /** Without brackets, route and root dot; "" of what is too long. */
  readonly text: string;
  /** `spelling`: the mail server may make another address of it. */
  readonly fault?: "too-long" | "spelling";
};

/** @param hostname of the mail server: a name without a domain is a user there */
export function parseMilterPath(given: string, hostname: string): MilterPath {
  if (given === "<>" || given === "") return { kind: "address", address: NULL_PATH, text: "" };
  if (octets(given) > MAX_PATH) return { kind: "unreadable", text: "", fault: "too-long" };
  const path = withoutRootDot(withoutBrackets(given.trim()));
  const text = withoutRoute(path);
  const parsed = parseMailbox(text !== "" && !text.includes("@") ? `${text}@${hostname}` : text);
  const fault = isStrangelySpelt(path) ? ({ fault: "spelling" } as const) : {};
  return parsed.ok
    ? { kind: "address", address: parsed.mailbox, text, ...fault }
    : { kind: "unreadable", text, ...fault };
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
