// The domain of an address: A-labels or an address literal (RFC 5321 §4.1.2, §4.1.3; RFC 5891 §4.4 for U-labels).
// Called by mailbox.ts and by whoever holds a list of domains.
import { isIPv4, isIPv6 } from "node:net";
import { domainToASCII } from "node:url";
import { asciiLower, isAscii } from "./ascii.ts";

/** RFC 1035 §2.3.4. */
const MAX_DOMAIN_OCTETS = 253;
const MAX_LABEL_OCTETS = 63;
const DOT = 0x2e;
const HYPHEN = 0x2d;
/** By character code. */
const LABEL_TEXT = Uint8Array.from({ length: 0x80 }, (_, code) =>
  /[A-Za-z0-9_-]/.test(String.fromCharCode(code)) ? 1 : 0,
);
/** What a U-label domain may not hold: ASCII that is no label character, and controls. */
const NOT_IN_DOMAIN = /[\p{Cc} -,/:-@[-^`{-~]/u;

export type ParsedDomain =
  | { readonly ok: true; readonly domain: string }
  | { readonly ok: false; readonly message: string };

/**
 * Reads a domain. ASCII keeps its case (a signed address must come back as it was); U-labels become A-labels,
 * because peers sign what they see on the wire and that is the A-label.
 *
 * @example parseDomain("Bücher.example") // { ok: true, domain: "xn--bcher-kva.example" }
 */
export function parseDomain(text: string): ParsedDomain {
  if (text.length <= MAX_DOMAIN_OCTETS && isDomainName(text)) return { ok: true, domain: text };
  if (text === "") return { ok: false, message: "the domain is empty" };
  if (text.startsWith("[")) return parseLiteral(text);
  const domain = isAscii(text) ? text : toALabels(text);
  if (domain.length > MAX_DOMAIN_OCTETS) {
    return {
      ok: false,
      message: `the domain has ${domain.length} octets, the limit is ${MAX_DOMAIN_OCTETS}`,
    };
  }
  if (!isDomainName(domain)) return { ok: false, message: `"${printable(text)}" is not a domain name` };
  return { ok: true, domain };
}

/** Labels of letters, digits, hyphens inside, and underscores: no host name has them, but real senders' domains do. */
function isDomainName(text: string): boolean {
  let start = 0;
  let last = DOT;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      if (!endsLabel(last, at - start)) return false;
      start = at + 1;
    } else if (code > 0x7f || LABEL_TEXT[code] === 0 || (code === HYPHEN && last === DOT)) {
      return false;
    }
    last = code;
  }
  return endsLabel(last, text.length - start);
}

function endsLabel(last: number, length: number): boolean {
  return last !== DOT && last !== HYPHEN && length <= MAX_LABEL_OCTETS;
}

/** Equal as DNS compares names: ASCII case does not count (RFC 4343). */
export function sameDomain(a: string, b: string): boolean {
  return asciiLower(a) === asciiLower(b);
}

/** Text of a stranger's making, fit for an error message: bounded, and no control character survives. */
export function printable(text: string, limit = 100): string {
  const shown = text.length > limit ? `${text.slice(0, limit)}…` : text;
  return shown.replace(/[\p{Cc}\u2028\u2029]/gu, "?");
}

function parseLiteral(text: string): ParsedDomain {
  const inner = text.slice(1, -1);
  const valid = /^ipv6:/i.test(inner) ? isIPv6(inner.slice(5)) && !inner.includes("%") : isIPv4(inner);
  if (text.endsWith("]") && valid) return { ok: true, domain: text };
  return { ok: false, message: `"${printable(text)}" is not an address literal` };
}

/** Empty where there are none. The conversion is that of URLs: it makes the address 0.0.0.1 of a host called "①". */
function toALabels(text: string): string {
  if (NOT_IN_DOMAIN.test(text)) return "";
  const domain = domainToASCII(text);
  return isIPv4(domain) ? "" : domain;
}
