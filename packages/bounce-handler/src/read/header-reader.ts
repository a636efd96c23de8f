// Reads the header block of a message or of a part, line by line, and keeps the fields that are wanted. Called by parts.ts.
import type { Fragment } from "./lines.ts";
import { trimmed } from "./octet-text.ts";
import type { HeaderField } from "./report.ts";

export interface HeaderReader {
  /** False where the line is no field and no continuation of one. */
  take(line: Fragment): boolean;
  /** Names in lower case, values as latin1. */
  readonly fields: readonly HeaderField[];
}

/** No name that is wanted is longer. */
const MAX_NAME = 64;
/** Of one value: a Content-Type with parameters is far below. */
const MAX_VALUE = 16 * 1024;
const MAX_FIELDS = 200;
const SPACE = 0x20;
const TAB = 0x09;
const COLON = 0x3a;

/** Names in lower case, found by their octets: a header may be nothing but fields that nobody wants. */
export interface WantedNames {
  find(octets: Buffer, from: number, to: number): string | undefined;
}

export function wantedNames(names: string): WantedNames {
  const byLength: string[][] = [];
  for (const name of names.split(" ")) {
    byLength[name.length] ??= [];
    byLength[name.length]?.push(name);
  }
  return {
    find: (octets, from, to) => byLength[to - from]?.find((name) => isNamed(octets, from, name)),
  };
}

function isNamed(octets: Buffer, from: number, name: string): boolean {
  for (let at = 0; at < name.length; at++) {
    const octet = octets[from + at] ?? 0;
    const isUpper = octet >= 0x41 && octet <= 0x5a;
    if ((isUpper ? octet + 0x20 : octet) !== name.charCodeAt(at)) return false;
  }
  return true;
}

export function createHeaderReader(wanted: WantedNames): HeaderReader {
  const fields: { name: string; value: string }[] = [];
  /** Where continuations go. */
  let open: { name: string; value: string } | undefined;

  const append = ({ octets, from, to }: Fragment): void => {
    if (!open || open.value.length >= MAX_VALUE) return;
    open.value += octets.toString("latin1", from, Math.min(to, from + MAX_VALUE - open.value.length));
  };

  return {
    fields,
    take(line) {
      const { octets, from, to, first } = line;
      if (!first || octets[from] === SPACE || octets[from] === TAB) {
        append(line);
        return true;
      }
      open = undefined;
      const colon = colonOf(line);
      if (colon < 0) return false;
      if (fields.length >= MAX_FIELDS) return true;
      const name = wanted.find(octets, from, withoutBlanks(octets, from, colon));
      if (name === undefined) return true;
      open = { name, value: "" };
      fields.push(open);
      append({ octets, from: colon + 1, to, first: false, last: true });
      return true;
    },
  };
}

/** The value of the first field of that name, trimmed. */
export function fieldValue(fields: readonly HeaderField[], name: string): string | undefined {
  const field = fields.find((one) => one.name === name);
  return field && trimmed(field.value);
}

function withoutBlanks(octets: Buffer, from: number, to: number): number {
  let end = to;
  while (end > from && (octets[end - 1] === SPACE || octets[end - 1] === TAB)) end--;
  return end;
}

/** RFC 5322 §2.2: a name has no blanks and no controls; before the colon, old mail may have some (§4.5). */
function colonOf({ octets, from, to }: Fragment): number {
  const end = Math.min(to, from + MAX_NAME);
  let blank = false;
  for (let at = from; at < end; at++) {
    const octet = octets[at] ?? 0;
    if (octet === COLON) return at > from ? at : -1;
    if (octet === SPACE || octet === TAB) blank = true;
    else if (blank || octet < SPACE || octet > 0x7e) return -1;
  }
  // A name as long as that is nobody's, but a field all the same.
  return end < to ? end : -1;
}
