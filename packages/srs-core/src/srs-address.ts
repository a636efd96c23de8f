// The syntax of SRS local parts, and nothing else: no secrets, no clock, no policy. Called by rewriter.ts.
//   SRS0 sep TAG = STAMP = DOMAIN = USER           the first forwarder: the whole sender is inside
//   SRS1 sep TAG = HOST = REST                     later ones: REST is the first forwarder's local part from its separator on
// Splits go from left to right, so "=" may be in USER and REST, never in DOMAIN or HOST. Source: Mail::SRS.
import { octets } from "./ascii.ts";
import { isDayStamp } from "./day-stamp.ts";
import { MAX_ADDRESS_OCTETS } from "./mailbox.ts";

/** The character after `SRS0` or `SRS1`. All three are read, the configured one is written. */
export type Separator = "=" | "+" | "-";

export interface Srs0 {
  readonly kind: "srs0";
  readonly separator: Separator;
  readonly tag: string;
  readonly stamp: string;
  readonly domain: string;
  readonly user: string;
}

export interface Srs1 {
  readonly kind: "srs1";
  readonly separator: Separator;
  readonly tag: string;
  /** The first forwarder: bounces go straight to it. */
  readonly host: string;
  /** Its local part without the letters `SRS0`, opaque to us: its separator, tag, stamp, domain and user. */
  readonly rest: string;
}

export type ParsedSrs =
  | Srs0
  | Srs1
  | { readonly kind: "not-srs" }
  | { readonly kind: "malformed"; readonly message: string };

const PREFIX = /^SRS[01][=+-]/i;

/** Does the local part claim to be an SRS address? Then it is judged as one, and never as an ordinary name. */
export function looksLikeSrs(localPart: string): boolean {
  return PREFIX.test(localPart);
}

/** Takes a decoded local part apart. */
export function parseSrs(localPart: string): ParsedSrs {
  if (!looksLikeSrs(localPart)) return { kind: "not-srs" };
  if (octets(localPart) > MAX_ADDRESS_OCTETS) return malformed("longer than an address can be");
  const separator = localPart.charAt(4) as Separator;
  const fields = localPart.slice(5);
  return localPart.charAt(3) === "0" ? parseSrs0(separator, fields) : parseSrs1(separator, fields);
}

export function renderSrs(srs: Srs0 | Srs1): string {
  if (srs.kind === "srs0") return `SRS0${srs.separator}${srs.tag}=${srs.stamp}=${srs.domain}=${srs.user}`;
  return `SRS1${srs.separator}${srs.tag}=${srs.host}=${srs.rest}`;
}

function parseSrs0(separator: Separator, fields: string): ParsedSrs {
  const [tag, stamp, domain, user] = splitFields(fields, 4);
  if (!tag || !stamp || !domain || !user) return malformed("SRS0 needs a tag, a stamp, a domain and a user");
  if (!isDayStamp(stamp)) return malformed("the stamp is not two base32 characters");
  return { kind: "srs0", separator, tag, stamp, domain, user };
}

function parseSrs1(separator: Separator, fields: string): ParsedSrs {
  const [tag, host, rest] = splitFields(fields, 3);
  if (!tag || !host || !rest)
    return malformed("SRS1 needs a tag, a host and the first forwarder's local part");
  if (rest.length < 2 || !"=+-".includes(rest.charAt(0))) {
    return malformed("the part after the host does not begin with a separator");
  }
  return { kind: "srs1", separator, tag, host, rest };
}

/** Splits at the first `count − 1` equals signs; the last field keeps the others. */
function splitFields(text: string, count: number): string[] {
  const fields: string[] = [];
  let from = 0;
  while (fields.length < count - 1) {
    const at = text.indexOf("=", from);
    if (at < 0) break;
    fields.push(text.slice(from, at));
    from = at + 1;
  }
  fields.push(text.slice(from));
  return fields;
}

function malformed(message: string): ParsedSrs {
  return { kind: "malformed", message };
}
