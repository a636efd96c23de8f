// The syntax of SRS local parts, and nothing else: no secrets, no clock, no policy. Called by rewriter.ts.
//   SRS0 sep TAG = STAMP = DOMAIN = USER           the first forwarder: the whole sender is inside
//   SRS1 sep TAG = HOST = REST                     later ones: REST is the first forwarder's local part from its separator on
// Splits go from left to right, so "=" may be in USER and REST, never in DOMAIN or HOST. Source: Mail::SRS.
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

const SEPARATORS = "=+-";

/** Does the local part claim to be an SRS address? Then it is judged as one, and never as an ordinary name. */
export function looksLikeSrs(localPart: string): boolean {
  const digit = localPart.charAt(3);
  if ((digit !== "0" && digit !== "1") || localPart.length < 5) return false;
  return SEPARATORS.includes(localPart.charAt(4)) && localPart.slice(0, 3).toLowerCase() === "srs";
}

/** Takes a decoded local part apart. */
export function parseSrs(localPart: string): ParsedSrs {
  if (!looksLikeSrs(localPart)) return { kind: "not-srs" };
  if (localPart.length > MAX_ADDRESS_OCTETS) return malformed("longer than an address can be");
  const separator = localPart.charAt(4) as Separator;
  return localPart.charAt(3) === "0" ? parseSrs0(separator, localPart) : parseSrs1(separator, localPart);
}

export function renderSrs(srs: Srs0 | Srs1): string {
  if (srs.kind === "srs0") return `SRS0${srs.separator}${srs.tag}=${srs.stamp}=${srs.domain}=${srs.user}`;
  return `SRS1${srs.separator}${srs.tag}=${srs.host}=${srs.rest}`;
}

/** Behind the four letters and the separator. */
const FIELDS_AT = 5;

function parseSrs0(separator: Separator, text: string): ParsedSrs {
  const tagEnd = text.indexOf("=", FIELDS_AT);
  const stampEnd = text.indexOf("=", tagEnd + 1);
  const domainEnd = text.indexOf("=", stampEnd + 1);
  const complete = tagEnd > FIELDS_AT && stampEnd > tagEnd + 1 && domainEnd > stampEnd + 1;
  if (!complete || domainEnd + 1 === text.length) {
    return malformed("SRS0 needs a tag, a stamp, a domain and a user");
  }
  const stamp = text.slice(tagEnd + 1, stampEnd);
  if (!isDayStamp(stamp)) return malformed("the stamp is not two base32 characters");
  return {
    kind: "srs0",
    separator,
    tag: text.slice(FIELDS_AT, tagEnd),
    stamp,
    domain: text.slice(stampEnd + 1, domainEnd),
    user: text.slice(domainEnd + 1),
  };
}

function parseSrs1(separator: Separator, text: string): ParsedSrs {
  const tagEnd = text.indexOf("=", FIELDS_AT);
  const hostEnd = text.indexOf("=", tagEnd + 1);
  const rest = text.slice(hostEnd + 1);
  if (tagEnd <= FIELDS_AT || hostEnd <= tagEnd + 1 || rest === "") {
    return malformed("SRS1 needs a tag, a host and the first forwarder's local part");
  }
  if (rest.length < 2 || !SEPARATORS.includes(rest.charAt(0))) {
    return malformed("the part after the host does not begin with a separator");
  }
  return {
    kind: "srs1",
    separator,
    tag: text.slice(FIELDS_AT, tagEnd),
    host: text.slice(tagEnd + 1, hostEnd),
    rest,
  };
}

function malformed(message: string): ParsedSrs {
  return { kind: "malformed", message };
}
