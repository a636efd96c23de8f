// What was probably meant by a term that is wrong. Called by read-terms.ts and modifier-findings.ts; it guesses, and a person
// decides.
import { parseAddress } from "../ip.ts";
import { parseRecord } from "../parse-record.ts";
import { printable } from "../printable.ts";

const MECHANISMS = ["all", "include", "a", "mx", "ip4", "ip6", "exists", "ptr"];
/** Written by people who know the thing and not the name. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ["ipv4", "ip4"],
  ["ipv6", "ip6"],
  ["ip", "ip4"],
  ["i4", "ip4"],
  ["i6", "ip6"],
  ["includes", "include"],
  ["host", "a"],
  ["domain", "a"],
  ["aaaa", "a"],
  ["exist", "exists"],
]);
/** Nobody's term is longer, and guesses at more than this are no use. */
const MAX_GUESSED = 256;

/** A term that is right and near to this one; undefined where there is none. */
export function fixedTerm(term: string): string | undefined {
  if (term.length > MAX_GUESSED) return undefined;
  return guesses(term).find((guess) => guess !== term && isGoodTerm(guess));
}

/** In words. */
export function fixWords(term: string): string {
  const fixed = fixedTerm(term);
  if (fixed !== undefined) return `write ${printable(fixed)}`;
  const name = /^[+\-?~]?([a-z0-9]*)/i.exec(term)?.[1]?.toLowerCase() ?? "";
  return HOW_TO_WRITE.get(name) ?? `the mechanisms are ${MECHANISMS.join(", ")}`;
}

const HOW_TO_WRITE: ReadonlyMap<string, string> = new Map([
  ["all", "write -all, ~all or ?all with nothing behind"],
  ["include", "write include:domain.example"],
  ["exists", "write exists:name.example"],
  ["a", "write a, a:host.example or a:host.example/24"],
  ["mx", "write mx, mx:domain.example or mx:domain.example/24"],
  ["ptr", "take it out: nobody should use ptr (RFC 7208 §5.5)"],
  ["ip4", "write ip4:192.0.2.1 or ip4:192.0.2.0/24"],
  ["ip6", "write ip6:2001:db8::1 or ip6:2001:db8::/32"],
  ["redirect", "write redirect=domain.example"],
  ["exp", "write exp=name.example"],
]);

function guesses(term: string): string[] {
  const trimmed = trimPunctuation(term);
  const [, sign = "", name = "", separator = "", value = ""] =
    /^([+\-?~]?)([a-z0-9]+)([:=]?)(.*)$/i.exec(trimmed) ?? [];
  const lower = name.toLowerCase();
  const known = OTHER_NAMES.get(lower) ?? lower;
  const address = addressTerm(value);
  return [
    trimmed,
    ...(address === undefined || known === "include" ? [] : [`${sign}${address}`]),
    `${sign}${known}${separator}${value}`,
    `${sign}${known}:${value}`,
    ...(known === "redirect" || known === "exp" ? [`${known}=${value}`] : []),
    ...bareGuesses(trimmed),
  ];
}

/** An address or a host name with nothing in front. */
function bareGuesses(term: string): string[] {
  const [, sign = "", rest = ""] = /^([+\-?~]?)(.*)$/.exec(term) ?? [];
  const address = addressTerm(rest);
  return address === undefined ? (rest.includes(":") ? [] : [`${sign}a:${rest}`]) : [`${sign}${address}`];
}

function addressTerm(text: string): string | undefined {
  const [address = "", length] = text.split("/");
  const octets = parseAddress(address);
  if (octets === undefined) return undefined;
  const mechanism = octets.length === 4 ? "ip4" : "ip6";
  return `${mechanism}:${address}${length === undefined || length === "" ? "" : `/${length}`}`;
}

/** Lists are written with commas and semicolons elsewhere. */
function trimPunctuation(term: string): string {
  let end = term.length;
  while (end > 0 && ",;\"'".includes(term.charAt(end - 1))) end -= 1;
  let start = 0;
  while (start < end && ",;\"'".includes(term.charAt(start))) start += 1;
  return term.slice(start, end);
}

/** Right, and no modifier that nobody knows. */
function isGoodTerm(term: string): boolean {
  if (term === "" || term.includes(" ")) return false;
  const parsed = parseRecord(`v=spf1 ${term}`);
  return parsed.kind === "record" && parsed.record.unknown.length === 0;
}
