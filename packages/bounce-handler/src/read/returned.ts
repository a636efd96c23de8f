// The header of the message that a bounce gives back: from a part of its own, or from the text below one of the usual
// separators. Called by judge.ts.
import { fieldName, readHeaderBlock } from "./fields.ts";
import { linesOf, readable, trimmed } from "./octet-text.ts";
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
  "--- original mail follows",
  "--- enclosed is a copy of the message",
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

/** With these a message begins. What parts of a multipart begin with is not among them: a report may have lost its boundary. */
const MESSAGE_FIELDS: ReadonlySet<string> = new Set(
  "return-path delivered-to received message-id date from sender to subject mime-version".split(" "),
);

/** What stands above the first field of a message, and above the first line that parts something from it. */
export function aboveMessage(text: string): string {
  for (let from = 0; from < text.length; ) {
    const found = text.indexOf("\n", from);
    const end = found < 0 ? text.length : found;
    const line = text.slice(from, end);
    if (isDashed(trimmed(line)) || MESSAGE_FIELDS.has(fieldName(line)?.toLowerCase() ?? ""))
      return text.slice(0, from);
    from = end + 1;
  }
  return text;
}

/** Sendmail's and Exim's: what stands below is still their own. */
const HEADINGS = ["- transcript of session", "- the following addresses"];

/** `--- Here it is`, or hyphens alone. A boundary has no blanks, and something behind its hyphens. */
function isDashed(line: string): boolean {
  if (!line.startsWith("--")) return false;
  if (!line.includes(" ")) return line === "-".repeat(line.length);
  const small = line.toLowerCase();
  return !HEADINGS.some((words) => small.includes(words));
}

export interface ReadReturned {
  readonly header: ReturnedHeader;
  readonly ended: boolean;
}

/** @param octets the part, or what stands below a separator, from its beginning; undefined where no header begins there */
export function readReturned(octets: string): ReadReturned | undefined {
  const lines = linesOf(octets);
  let from = 0;
  while (from < MAX_EMPTY_LINES && trimmed(lines[from] ?? "x") === "") from++;
  if (!beginsHeader(lines[from]) && !beginsHeader(lines[from + 1])) return undefined;
  const { fields, ended } = readHeaderBlock(lines, from);
  return fields.length === 0 ? undefined : { header: fields.map(readableField), ended };
}

/** The line behind may be the first where mbox writes one in front. */
function beginsHeader(line: string | undefined): boolean {
  return line !== undefined && fieldName(line) !== undefined;
}

function readableField({ name, value }: HeaderField): HeaderField {
  return { name, value: readable(value, MAX_VALUE) };
}
