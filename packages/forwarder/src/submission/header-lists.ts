// The header of a submitted message, read more strictly than readers of mail do: what two of them could read differently cannot
// be judged. RFC 5322 §2.2, §3.4. Called by own-header.ts.
import { endOfField, isEmptyLine } from "@homing/mail";
import { type Mailbox, parseMailbox } from "@homing/srs-core";

/** By name in lower case; of each the values, unfolded, as they came. Undefined: a line of the header is no field. */
export function readHeader(
  start: Buffer,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> | undefined {
  const fields = new Map<string, string[]>();
  let from = 0;
  while (from < start.length && !isEmptyLine(start, from)) {
    const to = endOfField(start, from);
    const colon = start.indexOf(COLON, from);
    if (colon <= from || colon >= to || !isFieldName(start, from, colon)) return undefined;
    // No name that is asked for is as long.
    const name = colon - from > MAX_NAME ? "" : start.toString("latin1", from, colon).toLowerCase();
    if (wanted.has(name)) {
      const value = start.toString("utf8", colon + 1, to).replaceAll("\r\n", "");
      fields.set(name, [...(fields.get(name) ?? []), value]);
    }
    from = to;
  }
  return fields;
}

/**
 * A mailbox-list, without groups, routes and other old forms. Undefined where it is none.
 * @param value unfolded
 */
export function readMailboxList(value: string): readonly Mailbox[] | undefined {
  if (CONTROLS.test(value)) return undefined;
  const mailboxes: Mailbox[] = [];
  let at = 0;
  for (;;) {
    const read = readMailbox(value, at);
    if (!read) return undefined;
    mailboxes.push(read.mailbox);
    if (mailboxes.length > MAX_MAILBOXES) return undefined;
    const behind = skipBlanks(value, read.end);
    if (behind === value.length) return mailboxes;
    if (behind === undefined || value[behind] !== ",") return undefined;
    at = behind + 1;
  }
}

const COLON = 0x3a;
/** `message-id` has ten. */
const MAX_NAME = 20;
/** More authors a message has not. */
const MAX_MAILBOXES = 100;
/** A tab is white space. */
const CONTROLS = /[^\P{Cc}\t]/u;
const SPECIALS = new Set('()<>[]:;@\\,"'.split(""));
/** Inside a comment: an address there is read by some. */
const NOT_IN_COMMENTS = new Set('<>[]:;@\\,"('.split(""));

interface ReadMailbox {
  readonly mailbox: Mailbox;
  readonly end: number;
}

/** `alice@example.org`, `Alice <alice@example.org>` or `"Alice" <…>`. */
function readMailbox(value: string, from: number): ReadMailbox | undefined {
  let hasName = false;
  for (let at = skipBlanks(value, from); at !== undefined; at = skipBlanks(value, at)) {
    if (value[at] === "<") {
      const end = endOfAngle(value, at);
      return end === undefined ? undefined : parsed(value.slice(at + 1, end), end + 1);
    }
    const end = endOfWord(value, at);
    if (end === undefined) return undefined;
    // In a name that is not quoted no address may stand.
    if (value[end] === "@") return hasName ? undefined : bareAddress(value, at, end);
    hasName = true;
    at = end;
  }
  return undefined;
}

function bareAddress(value: string, from: number, at: number): ReadMailbox | undefined {
  const end = value[at + 1] === "[" ? value.indexOf("]", at) + 1 : endOfAtom(value, at + 1);
  return end > at + 1 ? parsed(value.slice(from, end), end) : undefined;
}

function parsed(address: string, end: number): ReadMailbox | undefined {
  const mailbox = parseMailbox(address);
  return mailbox.ok ? { mailbox: mailbox.mailbox, end } : undefined;
}

function endOfAngle(value: string, from: number): number | undefined {
  let at = from + 1;
  if (value[at] === '"') at = endOfQuoted(value, at) ?? value.length;
  const end = value.indexOf(">", at);
  return end < 0 ? undefined : end;
}

function endOfWord(value: string, from: number): number | undefined {
  if (value[from] === '"') return endOfQuoted(value, from);
  const end = endOfAtom(value, from);
  return end > from ? end : undefined;
}

function endOfAtom(value: string, from: number): number {
  let at = from;
  while (at < value.length && !isBlank(value[at]) && !SPECIALS.has(value.charAt(at))) at++;
  return at;
}

/** Behind the closing quote. */
function endOfQuoted(value: string, from: number): number | undefined {
  for (let at = from + 1; at < value.length; at++) {
    if (value[at] === '"') return at + 1;
    if (value[at] === "\\") at++;
  }
  return undefined;
}

/** White space and comments. Undefined where a comment is not of the simplest kind. */
function skipBlanks(value: string, from: number): number | undefined {
  let at = from;
  for (;;) {
    while (isBlank(value[at])) at++;
    if (value[at] !== "(") return at;
    at++;
    while (at < value.length && value[at] !== ")") {
      if (NOT_IN_COMMENTS.has(value.charAt(at))) return undefined;
      at++;
    }
    if (at === value.length) return undefined;
    at++;
  }
}

function isBlank(char: string | undefined): boolean {
  return char === " " || char === "\t";
}

/** RFC 5322 §2.2: printable ASCII, without a blank before the colon. */
function isFieldName(start: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const octet = start[at] ?? 0;
    if (octet <= 0x20 || octet >= 0x7f) return false;
  }
  return true;
}
