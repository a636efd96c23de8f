// An address as text and as a key: the same mailbox is always the same key. Called wherever this package stores or compares one.
import { asciiLower, type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { type Refused, refused } from "./problem.ts";

/**
 * A local part may differ in case alone, and never does: who sends to Bob@ and to bob@ reaches one person. The same of JÖRG@ and
 * jörg@, and of an ö in one character or in two (RFC 6532 §3.1): else each spelling would have limits and lists of its own.
 */
export function addressKey(mailbox: Mailbox): string {
  return foldedAddress(renderMailbox(mailbox));
}

/**
 * Of a person, for limits, for mail that goes to somebody once a day and for the never list: what stands behind the first `+` of
 * the local part is cut off (subaddressing, RFC 5233), for it costs nothing to make up, and mark+1@, mark+2@ and so on are all read
 * by Mark. The large providers have this separator. Others (`-`, `.`, `=`) are part of a name at most sites and cut nothing here;
 * and where a `+` separates nothing, mark+1@ and mark@ share what is counted. Whose address it is, `addressKey` alone says:
 * identities, return paths and suppressions.
 */
export function personKey(mailbox: Mailbox): string {
  const { localPart, domain } = mailbox;
  const plus = localPart.indexOf("+");
  return addressKey(plus > 0 ? { localPart: localPart.slice(0, plus), domain } : mailbox);
}

/** @param text of an address, which may be none that can be read */
export function foldedAddress(text: string): string {
  return text.normalize("NFC").toLowerCase().normalize("NFC");
}

export type ReadAddress = { readonly ok: true; readonly mailbox: Mailbox } | Refused;

/** Line and paragraph separators, and what turns the direction of writing: people read addresses on pages and in texts. */
const MISLEADING = /[\u2028-\u202e\u2066-\u2069]/;

/**
 * Of somebody to whom mail goes from here: at a domain, in lower case, and not at an IP address.
 * @param field of the request
 */
export function readReachable(text: string, field: string): ReadAddress {
  const read = readAddress(text, field);
  if (!read.ok) return read;
  const mailbox = { ...read.mailbox, domain: asciiLower(read.mailbox.domain) };
  if (!mailbox.domain.startsWith("[")) return { ok: true, mailbox };
  return refused("invalid-field", `${field} has an IP address in the place of a domain`, {
    field,
    hint: "write it as alice@example.org",
  });
}

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
