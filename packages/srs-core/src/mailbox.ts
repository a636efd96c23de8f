// A mailbox address: text becomes a value here, at the edge, and is rendered again for SMTP. RFC 5321 §4.1.2, and
// RFC 6531 §3.3 for UTF-8. Called by everything that meets an address.
import { octets } from "./ascii.ts";
import { parseDomain, printable } from "./domain.ts";

/** RFC 5321 §4.5.3.1.3: a path has 256 octets, and the angle brackets are two of them. */
export const MAX_ADDRESS_OCTETS = 254;
/** RFC 5321 §4.5.3.1.1. Not enforced on what comes in: senders with longer ones exist. */
export const MAX_LOCAL_PART_OCTETS = 64;

/** An address taken apart. */
export interface Mailbox {
  /** Decoded: without quotes or backslashes, UTF-8 as it is. Case kept. */
  readonly localPart: string;
  /** A-labels or an address literal. Case kept; compare with `sameDomain`. */
  readonly domain: string;
}

export interface BadAddress {
  readonly ok: false;
  readonly reason: "bad-address";
  readonly message: string;
}

export type ParsedMailbox = { readonly ok: true; readonly mailbox: Mailbox } | BadAddress;

const DOT = 0x2e;
/** RFC 6531 §3.3: every character above US-ASCII is atext; the C1 controls U+0080–U+009F are no text. */
const FIRST_UTF8_TEXT = 0xa0;
/** RFC 5322 §3.2.3 atext, by character code. */
const ATOM_TEXT = Uint8Array.from({ length: 0x80 }, (_, code) => {
  return /[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]/.test(String.fromCharCode(code)) ? 1 : 0;
});
// U+FFFD is what a decoder leaves of invalid UTF-8.
const UNFIT = /[\p{Cc}\ufffd]/u;
const EMPTY_MESSAGE = "has nothing before the @";
const UNFIT_MESSAGE = "holds a control character or invalid UTF-8";

/**
 * Reads `local@domain`, without angle brackets. Quoted local parts are decoded, U-labels become A-labels.
 *
 * @example parseMailbox('"two words"@example.org') // localPart: 'two words'
 */
export function parseMailbox(text: string): ParsedMailbox {
  // Octets are no fewer than UTF-16 units: a long text is refused before anything walks through it.
  if (text.length > MAX_ADDRESS_OCTETS || octets(text) > MAX_ADDRESS_OCTETS) {
    return bad(text, `has ${octets(text)} octets, the limit is ${MAX_ADDRESS_OCTETS}`);
  }
  if (isUnfit(text)) return bad(text, UNFIT_MESSAGE);
  const split = text.startsWith('"') ? splitQuoted(text) : splitPlain(text);
  if (typeof split === "string") return bad(text, split);
  const domain = parseDomain(split.domain);
  if (!domain.ok) return bad(text, domain.message);
  return { ok: true, mailbox: { localPart: split.localPart, domain: domain.domain } };
}

/**
 * A mailbox that a caller put together, as `parseMailbox` would have made it: with A-labels, and refused where no text
 * stands for it.
 */
export function checkMailbox(mailbox: Mailbox): ParsedMailbox {
  const { localPart } = mailbox;
  const domain = parseDomain(mailbox.domain);
  if (!domain.ok) return bad(`${localPart}@${mailbox.domain}`, domain.message);
  if (localPart === "") return bad(`@${mailbox.domain}`, EMPTY_MESSAGE);
  const plain = dotStringOctets(localPart) === localPart.length;
  if (!plain && isUnfit(localPart)) return bad(`${localPart}@${mailbox.domain}`, UNFIT_MESSAGE);
  return {
    ok: true,
    mailbox: domain.domain === mailbox.domain ? mailbox : { localPart, domain: domain.domain },
  };
}

/** The address as SMTP writes it: the local part is quoted where RFC 5321 asks for it. */
export function renderMailbox(mailbox: Mailbox): string {
  return `${renderLocalPart(mailbox.localPart)}@${mailbox.domain}`;
}

export function renderLocalPart(localPart: string): string {
  if (dotStringOctets(localPart) >= 0) return localPart;
  return `"${localPart.replace(/["\\]/g, "\\$&")}"`;
}

/** Octets of a local part as SMTP writes it: UTF-8, and the quotes and backslashes that it needs. */
export function localPartOctets(localPart: string): number {
  const plain = dotStringOctets(localPart);
  return plain >= 0 ? plain : octets(localPart) + 2 + escapes(localPart);
}

function escapes(text: string): number {
  let count = 0;
  for (const char of text) if (char === '"' || char === "\\") count++;
  return count;
}

/** Octets of the address as SMTP writes it. */
export function mailboxOctets({ localPart, domain }: Mailbox): number {
  return localPartOctets(localPart) + 1 + octets(domain);
}

/** Is it longer than any address can be? `parseMailbox` gives no such mailbox, a caller may. */
export function exceedsAddress(mailbox: Mailbox): boolean {
  // One octet to three for each UTF-16 unit, the @ and two quotes: a usual address and a huge one are not walked through.
  const units = mailbox.localPart.length + mailbox.domain.length;
  if (3 * units + 3 <= MAX_ADDRESS_OCTETS) return false;
  return units + 1 > MAX_ADDRESS_OCTETS || mailboxOctets(mailbox) > MAX_ADDRESS_OCTETS;
}

/** Octets of an RFC 5321 Dot-string: atoms, and single dots between them. −1 for any other text. */
function dotStringOctets(text: string): number {
  let more = 0;
  let last = DOT;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code > 0x7f) {
      if (code < FIRST_UTF8_TEXT) return -1;
      more += furtherOctets(code);
    } else if (code === DOT ? last === DOT : ATOM_TEXT[code] === 0) {
      return -1;
    }
    last = code;
  }
  return last === DOT ? -1 : text.length + more;
}

/** Octets of UTF-8 behind the first, of one UTF-16 unit above US-ASCII: a pair of surrogates is four octets. */
function furtherOctets(code: number): number {
  return code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 1 : 2;
}

function isUnfit(text: string): boolean {
  return UNFIT.test(text) || !text.isWellFormed();
}

function isUnquoted(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== DOT && !isAtomText(code)) return false;
  }
  return text !== "";
}

function isAtomText(code: number): boolean {
  return code < 0x80 ? ATOM_TEXT[code] === 1 : code >= FIRST_UTF8_TEXT;
}

function splitPlain(text: string): Mailbox | string {
  const at = text.indexOf("@");
  if (at < 0) return "has no @";
  if (at === 0) return EMPTY_MESSAGE;
  const localPart = text.slice(0, at);
  // Dots may stand anywhere: `a..b.@docomo.ne.jp` is in use. It is rendered quoted: the same address in valid form.
  if (!isUnquoted(localPart)) return "has a character before the @ that is only allowed inside quotes";
  return { localPart, domain: text.slice(at + 1) };
}

function splitQuoted(text: string): Mailbox | string {
  let localPart = "";
  for (let i = 1; i < text.length; i++) {
    const char = text.charAt(i);
    if (char === '"') {
      if (text.charAt(i + 1) !== "@") return "has text between the closing quote and the @";
      if (localPart === "") return "has an empty local part";
      return { localPart, domain: text.slice(i + 2) };
    }
    if (char === "\\") i++;
    localPart += text.charAt(i);
  }
  return "has an opening quote that is not closed";
}

function bad(text: string, why: string): BadAddress {
  return { ok: false, reason: "bad-address", message: `address "${printable(text)}": ${why}` };
}
