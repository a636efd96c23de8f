// Where the fields of a header block begin and end (RFC 5322 §2.2), octet by octet. Called by those who look for fields in
// this folder.

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

/** Where the next field begins: behind a CRLF that no white space follows. */
export function endOfField(message: Buffer, from: number): number {
  for (let at = message.indexOf(LF, from); at >= 0; at = message.indexOf(LF, at + 1)) {
    if (message[at - 1] !== CR) continue;
    const next = message[at + 1];
    if (next !== SPACE && next !== TAB) return at + 1;
  }
  return message.length;
}

export function isEmptyLine(message: Buffer, at: number): boolean {
  return message[at] === CR && message[at + 1] === LF;
}

/**
 * Where the value begins of a field that has this name; undefined where it has another. White space before the colon is
 * old (RFC 5322 §4.5), and is read by many.
 * @param name in lower case, without its colon
 */
export function valueStart(message: Buffer, from: number, to: number, name: Buffer): number | undefined {
  for (let at = 0; at < name.length; at++) {
    const octet = message[from + at] ?? 0;
    const isUpper = octet >= 0x41 && octet <= 0x5a;
    if ((isUpper ? octet + 0x20 : octet) !== name[at]) return undefined;
  }
  let at = from + name.length;
  while (at < to && isBlank(message[at])) at++;
  return at < to && message[at] === COLON ? at + 1 : undefined;
}

/** White space, or what folds a line. */
export function isBlank(octet: number | undefined): boolean {
  return octet === SPACE || octet === TAB || octet === CR || octet === LF;
}
