// Authentication-Results fields that claim to be ours: whoever sent them can have written anything into them, so they go
// before ours is added (RFC 8601 §5). Called by the forwarder; authentication-results.ts writes the field.
import { asciiLower } from "@homing/srs-core";
import { endOfField, isBlank, isEmptyLine, valueStart } from "./header-fields.ts";
import type { OctetRange } from "./without-ranges.ts";

const NAME = Buffer.from("authentication-results");
const QUOTE = 0x22;
const OPEN = 0x28;
const CLOSE = 0x29;
const DOT = 0x2e;
const SEMICOLON = 0x3b;
const BACKSLASH = 0x5c;

/**
 * In their order. One pass over the header block, octet by octet. In doubt a field is ours: readers differ in what they make
 * of white space, comments and quotes, and all of them shall find our results alone.
 */
export function ownResultsIn(start: Buffer, authservId: string): readonly OctetRange[] {
  const id = Buffer.from(asciiLower(authservId));
  const ranges: OctetRange[] = [];
  let from = 0;
  while (from < start.length && !isEmptyLine(start, from)) {
    const to = endOfField(start, from);
    const value = valueStart(start, from, to, NAME);
    if (value !== undefined && claims(start.subarray(value, to), id)) ranges.push({ from, to });
    from = to;
  }
  return ranges;
}

/** All fields of a name. @param name in lower case. Of one that only we write: whoever sent it pretends to be us */
export function fieldsNamed(start: Buffer, name: string): readonly OctetRange[] {
  const wanted = Buffer.from(name);
  const ranges: OctetRange[] = [];
  let from = 0;
  while (from < start.length && !isEmptyLine(start, from)) {
    const to = endOfField(start, from);
    if (valueStart(start, from, to, wanted) !== undefined) ranges.push({ from, to });
    from = to;
  }
  return ranges;
}

function claims(value: Buffer, id: Buffer): boolean {
  const found = authservIdOf(value, id.length);
  // What cannot be read claims to be ours if it has our name at all.
  if (found === undefined) return lowered(value).includes(id);
  const { text, gaps } = found;
  if (!text.subarray(0, id.length).equals(id)) return false;
  const next = text[id.length];
  if (next === undefined || gaps.has(id.length) || !isNameOctet(next)) return true;
  // The same name with the dot of the root.
  return next === DOT && (text.length === id.length + 1 || gaps.has(id.length + 1));
}

/** What stands before the first semicolon, without comments, quotes and white space; and where these were. */
interface Claim {
  readonly text: Buffer;
  readonly gaps: ReadonlySet<number>;
}

/** Undefined: there is none, or a comment or a quote has no end. Of a long one, what tells it apart. */
function authservIdOf(value: Buffer, idLength: number): Claim | undefined {
  const text = Buffer.alloc(idLength + 2);
  const gaps = new Set<number>();
  let length = 0;
  let depth = 0;
  let isQuoted = false;
  for (let at = 0; at < value.length; at++) {
    let octet = value[at] ?? 0;
    if (octet === BACKSLASH && (depth > 0 || isQuoted)) {
      at++;
      if (depth > 0) continue;
      octet = value[at] ?? 0;
    } else if (octet === QUOTE && depth === 0) {
      isQuoted = !isQuoted;
      gaps.add(length);
      continue;
    } else if (!isQuoted && (octet === OPEN || (octet === CLOSE && depth > 0))) {
      depth += octet === OPEN ? 1 : -1;
      gaps.add(length);
      continue;
    } else if (octet === SEMICOLON && depth === 0 && !isQuoted) break;
    if (depth > 0) continue;
    if (isBlank(octet)) gaps.add(length);
    else if (length < text.length) text[length++] = lower(octet);
  }
  const isWhole = depth === 0 && !isQuoted && length > 0;
  return isWhole ? { text: text.subarray(0, length), gaps } : undefined;
}

/** Of a host name, or of whatever else somebody may call a server of his. */
function isNameOctet(octet: number): boolean {
  const isLetter = octet >= 0x61 && octet <= 0x7a;
  const isDigit = octet >= 0x30 && octet <= 0x39;
  return isLetter || isDigit || octet >= 0x80 || octet === 0x2d || octet === DOT || octet === 0x5f;
}

function lowered(value: Buffer): Buffer {
  return Buffer.from(value.map(lower));
}

function lower(octet: number): number {
  return octet >= 0x41 && octet <= 0x5a ? octet + 0x20 : octet;
}
