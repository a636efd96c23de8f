// The header of the message that a bounce gives back: from a part of its own, or from the text below one of the usual
// separators. Called by judge.ts.
import { fieldName, readHeaderBlock } from "./fields.ts";
import { linesOf, readable } from "./octet-text.ts";
import type { HeaderField, ReturnedHeader } from "./report.ts";

/** In lower case, of one line. */
const SEPARATORS = [
  "--- below this line is a copy of the message",
  "--- this is a copy of the message",
  "--- this is a copy of your message",
  "--- the header of the original message",
  "--- header of the original message",
  "--- the headers of the original message",
  "--- original message ---",
  "--- original message follows",
  "--- original message header",
  "--- unsent message follows",
  "--- message header follows",
  "--- message headers follow",
  "--- returned message",
  "--- undelivered message",
  "--- a copy of your message",
  "--- original mail ---",
  "below is a copy of the original message",
  "original message headers:",
  "original message header:",
  "the original message headers follow",
  "here is a copy of the original message",
  "message header follows:",
  "received header:",
] as const;

/** In front of a header there may be a line or two of white space. */
const MAX_EMPTY_LINES = 4;
const MAX_VALUE = 8 * 1024;

export interface SplitText {
  /** Without what was returned. */
  readonly text: string;
  readonly returned: string | undefined;
}

/** Cuts at the first separator: no address below it is a failing recipient. */
export function splitReturned(text: string): SplitText {
  const small = text.toLowerCase();
  let cut = -1;
  for (const separator of SEPARATORS) {
    const at = small.indexOf(separator);
    if (at >= 0 && (cut < 0 || at < cut)) cut = at;
  }
  if (cut < 0) return { text, returned: undefined };
  const lineEnd = text.indexOf("\n", cut);
  return { text: text.slice(0, cut), returned: lineEnd < 0 ? undefined : text.slice(lineEnd + 1) };
}

export interface ReadReturned {
  readonly header: ReturnedHeader;
  readonly ended: boolean;
}

/** @param octets the part, or what stands below a separator, from its beginning; undefined where no header begins there */
export function readReturned(octets: string): ReadReturned | undefined {
  const lines = linesOf(octets);
  let from = 0;
  while (from < MAX_EMPTY_LINES && lines[from]?.trim() === "") from++;
  if (!beginsHeader(lines[from]) && !beginsHeader(lines[from + 1])) return undefined;
  const { fields, ended } = readHeaderBlock(lines, from);
  return fields.length === 0 ? undefined : { header: fields.map(readableField), ended };
}

/** The line behind may be the first where mbox writes one in front. */
function beginsHeader(line: string | undefined): boolean {
  return line !== undefined && fieldName(line) !== undefined;
}

function readableField({ name, value }: HeaderField): HeaderField {
  return { name: name.trim(), value: readable(value, MAX_VALUE) };
}
