// The header of a message as a program on this machine writes it: where its fields are, and where the body begins, with or
// without an empty line. RFC 5322 §2.2. Called by prepare.ts.
export interface HeaderField {
  /** In small letters. */
  readonly name: string;
  readonly start: number;
  /** Behind the colon. */
  readonly valueStart: number;
  /** Behind its last CRLF. */
  readonly end: number;
}

export interface Header {
  readonly fields: readonly HeaderField[];
  /** Behind the empty line, or the first line that is no field. */
  readonly bodyStart: number;
}

/** §3.6.8: printable, and no colon; §4.5 has spaces before the colon. */
const FIELD = /^([!-9;-~]+)[ \t]*:/;
const LONGEST_NAME = 200;
/** Of mboxes, and what UUCP made of it; Postfix and Sendmail leave such lines out, too. */
const MBOX_LINE = /^>{0,9}From /;
const LONGEST_MBOX_START = 20;

/**
 * @param text the beginning of a message, or all of it: lines that end with CRLF, an octet a character
 * @returns undefined where the header goes on behind the text
 */
export function readHeader(text: string, isAll: boolean): Header | undefined {
  const fields: HeaderField[] = [];
  let at = behindMboxLines(text);
  for (;;) {
    if (at === text.length) return isAll ? { fields, bodyStart: at } : undefined;
    if (text.startsWith("\r\n", at)) return { fields, bodyStart: at + 2 };
    const [whole, name] = FIELD.exec(text.slice(at, at + LONGEST_NAME)) ?? [];
    if (whole === undefined || name === undefined) return { fields, bodyStart: at };
    const end = fieldEnd(text, at);
    if (end === text.length && !isAll) return undefined;
    fields.push({ name: name.toLowerCase(), start: at, valueStart: at + whole.length, end });
    at = end;
  }
}

function behindMboxLines(text: string): number {
  let at = 0;
  while (MBOX_LINE.test(text.slice(at, at + LONGEST_MBOX_START))) at = lineEnd(text, at);
  return at;
}

/** With the lines that go on. */
function fieldEnd(text: string, start: number): number {
  let at = lineEnd(text, start);
  while (text[at] === " " || text[at] === "\t") at = lineEnd(text, at);
  return at;
}

function lineEnd(text: string, start: number): number {
  const at = text.indexOf("\r\n", start);
  return at < 0 ? text.length : at + 2;
}
