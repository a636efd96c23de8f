// Text of an SPF record to terms (RFC 7208 §4.5, §4.6, §5, §6, §12). All of it is looked at, so that a fault anywhere
// makes the record wrong before a mechanism can match (§4.6). Called by the evaluator and the linter.
import { parseAddress } from "./ip.ts";
import { type ParsedMacroString, parseMacroString } from "./macro-string.ts";
import { printable } from "./printable.ts";
import type { Mechanism, Modifier, ParsedRecord, Qualifier } from "./record.ts";

/** Longer ones are read each time, so that strangers cannot fill the memory with them. */
const MAX_CACHED_TEXT = 4096;

type Outcome<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "wrong"; readonly problem: string };

interface TermHead {
  readonly text: string;
  readonly qualifier: Qualifier;
}

/** Is this TXT record for SPF (§4.5)? `v=spf10` and `v=spf1` with a tab are not. */
export function isSpfRecord(text: string): boolean {
  return /^v=spf1(?: |$)/i.test(text);
}

export function parseRecord(text: string): ParsedRecord {
  if (!isSpfRecord(text)) return wrong("the record does not begin with v=spf1 and a space");
  const odd = /[^\x20-\x7e]/.exec(text);
  if (odd !== null) return wrong(`character ${odd.index + 1} of the record is not printable ASCII`);
  const mechanisms: Mechanism[] = [];
  const unknown: Modifier[] = [];
  const known = new Map<string, Modifier>();
  for (const term of text.slice("v=spf1".length).split(" ")) {
    if (term === "") continue;
    const parsed = parseTerm(term);
    if (parsed.kind === "wrong") return wrong(`"${printable(term)}": ${parsed.problem}`);
    const { value } = parsed;
    if (!("value" in value)) {
      mechanisms.push(value);
    } else if (value.name !== "redirect" && value.name !== "exp") {
      unknown.push(value);
    } else {
      if (known.has(value.name)) return wrong(`"${printable(term)}": the second ${value.name}=`);
      known.set(value.name, value);
    }
  }
  const redirect = known.get("redirect");
  const exp = known.get("exp");
  return {
    kind: "record",
    record: { text, mechanisms, unknown, ...(redirect && { redirect }), ...(exp && { exp }) },
  };
}

/** parseRecord with a memory, by text. @param max characters of all texts that are remembered */
export function cachedRecords(max: number): (text: string) => ParsedRecord {
  const young = new Map<string, ParsedRecord>();
  let old: ReadonlyMap<string, ParsedRecord> = new Map();
  let size = 0;
  return (text) => {
    const found = young.get(text);
    if (found !== undefined) return found;
    const parsed = old.get(text) ?? parseRecord(text);
    if (text.length > MAX_CACHED_TEXT) return parsed;
    size += text.length;
    // Two generations: cheaper than an order of use, and a record in use outlives the change.
    if (size > max / 2) {
      old = new Map(young);
      young.clear();
      size = text.length;
    }
    young.set(text, parsed);
    return parsed;
  };
}

function parseTerm(text: string): Outcome<Mechanism | Modifier> {
  const head = /^([+\-?~]?)([a-z][a-z0-9\-_.]*)([:/=]?)/i.exec(text);
  if (head === null) return wrong("is neither a mechanism nor a modifier");
  const [before, sign = "", written = "", separator] = head;
  const name = written.toLowerCase();
  const argument = text.slice(before.length - (separator ?? "").length);
  if (separator === "=") {
    if (sign !== "") return wrong("a modifier takes no qualifier");
    return parseModifier(text, name, argument.slice(1));
  }
  return parseMechanism({ text, qualifier: sign === "" ? "+" : (sign as Qualifier) }, name, argument);
}

function parseModifier(text: string, name: string, argument: string): Outcome<Modifier> {
  const isKnown = name === "redirect" || name === "exp";
  const value = parseMacroString(argument, isKnown ? "domain" : "modifier");
  if (value.kind === "wrong") return value;
  return ok({ text, name, value: value.value });
}

/** @param argument what follows the name, with its `:` or `/` */
function parseMechanism(head: TermHead, name: string, argument: string): Outcome<Mechanism> {
  switch (name) {
    case "all":
      return argument === "" ? ok({ ...head, name }) : wrong("all takes nothing behind it");
    case "include":
    case "exists": {
      const target = parseTarget(argument);
      return target.kind === "wrong" ? target : ok({ ...head, name, target: target.value });
    }
    case "ptr": {
      if (argument === "") return ok({ ...head, name });
      const target = parseTarget(argument);
      return target.kind === "wrong" ? target : ok({ ...head, name, target: target.value });
    }
    case "a":
    case "mx":
      return parseHosts(head, name, argument);
    case "ip4":
      return parseNetwork(head, name, argument, 4);
    case "ip6":
      return parseNetwork(head, name, argument, 16);
    default:
      return wrong("no such mechanism");
  }
}

function parseTarget(argument: string): ParsedMacroString {
  if (!argument.startsWith(":")) return wrong("a domain must follow, behind a colon");
  return parseMacroString(argument.slice(1), "domain");
}

/** `a` and `mx`: `:domain`, `/length of IPv4`, `//length of IPv6`, each of them if at all (§5.3, §5.4). */
function parseHosts(head: TermHead, name: "a" | "mx", argument: string): Outcome<Mechanism> {
  const lengths = /(?:\/([0-9]*))?(?:\/\/([0-9]*))?$/.exec(argument);
  const domain = argument.slice(0, lengths?.index);
  const length4 = parseLength(lengths?.[1], 32);
  if (length4.kind === "wrong") return length4;
  const length6 = parseLength(lengths?.[2], 128);
  if (length6.kind === "wrong") return length6;
  const both = { length4: length4.value, length6: length6.value };
  if (domain === "") return ok({ ...head, name, ...both });
  const target = parseTarget(domain);
  return target.kind === "wrong" ? target : ok({ ...head, name, target: target.value, ...both });
}

function parseNetwork(
  head: TermHead,
  name: "ip4" | "ip6",
  argument: string,
  size: 4 | 16,
): Outcome<Mechanism> {
  const slash = argument.indexOf("/");
  const address = argument.slice(1, slash < 0 ? undefined : slash);
  const octets = argument.startsWith(":") ? parseAddress(address) : undefined;
  if (octets?.length !== size)
    return wrong(`an IPv${size === 4 ? 4 : 6} address must follow, behind a colon`);
  const length = parseLength(slash < 0 ? undefined : argument.slice(slash + 1), size * 8);
  if (length.kind === "wrong") return length;
  return ok({ ...head, name, network: { octets, length: length.value } });
}

/** No leading zeros (§12). @param digits none: the whole address */
function parseLength(digits: string | undefined, max: number): Outcome<number> {
  if (digits === undefined) return ok(max);
  if (!/^(?:0|[1-9][0-9]{0,2})$/.test(digits) || Number(digits) > max) {
    return wrong(`/${printable(digits, 12)} is not a length from 0 to ${max}`);
  }
  return ok(Number(digits));
}

function ok<T>(value: T): Outcome<T> {
  return { kind: "ok", value };
}

function wrong(problem: string): { readonly kind: "wrong"; readonly problem: string } {
  return { kind: "wrong", problem };
}
