// An address as text and as a key: the same mailbox is always the same key. Called wherever this package stores or compares one.
import { asciiLower, type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { type Refused, refused } from "./problem.ts";

/** A local part may differ in case alone, and never does: who sends to Bob@ and to bob@ reaches one person. */
export function addressKey(mailbox: Mailbox): string {
  return asciiLower(renderMailbox(mailbox));
}

export type ReadAddress = { readonly ok: true; readonly mailbox: Mailbox } | Refused;

/** Line and paragraph separators, and what turns the direction of writing: people read addresses on pages and in texts. */
const MISLEADING = /[\u2028-\u202e\u2066-\u2069]/;

/** @param field of the request */
export function readAddress(text: string, field: string): ReadAddress {
  const parsed = parseMailbox(text);
  const isMisleading = parsed.ok && MISLEADING.test(parsed.mailbox.localPart);
  if (parsed.ok && !isMisleading) return parsed;
  const why = parsed.ok ? "it holds a character that is not seen" : parsed.message;
  return refused("invalid-field", `${field} is no address: ${why}`, {
    field,
    hint: "write it as alice@example.org, without a name and without <>",
  });
}
