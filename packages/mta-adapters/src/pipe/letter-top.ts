// What a local delivery put on top of a message before it gave it to a program: the mbox line, Return-Path, Delivered-To. Called
// by `homing pipe` with the header as it came, lines ended by LF or by CRLF.

const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const FROM_LINE = "From ";
/** A line of another length is somebody's text, and is kept out of the way of the patterns. */
const MAX_LINE = 2000;

export interface LetterTop {
  /** The envelope sender of the mbox line `From SENDER DATE`; "" is the null sender. */
  readonly fromLine?: string;
  /** Of a Return-Path right behind it, or first of all; "" is the null sender. */
  readonly returnPath?: string;
  /** Where the message begins without these two, which the next delivery writes anew. */
  readonly start: number;
  /** Addresses of Delivered-To above the first Received field: this delivery's, or a list's that a user runs. */
  readonly deliveredNow: readonly string[];
  /** Below it: of places where the message was before. */
  readonly deliveredBefore: readonly string[];
  /** The topmost X-Original-To above the first Received field, of Postfix: as the sender wrote it, before aliases. */
  readonly originalTo?: string;
  readonly lineEnd: "\n" | "\r\n";
}

/** @param header up to its empty line, or more */
export function readLetterTop(header: Buffer): LetterTop {
  const first = lineAt(header, 0);
  const hasFromLine = first.text.startsWith(FROM_LINE);
  let start = hasFromLine ? first.next : 0;
  const top = fieldAt(header, start);
  const returnPath = top?.name === "return-path" ? unbracketed(top.value) : undefined;
  if (top && returnPath !== undefined) start = top.next;
  return {
    ...(hasFromLine ? { fromLine: senderOf(first.text) } : {}),
    ...(returnPath === undefined ? {} : { returnPath }),
    start,
    ...deliveriesIn(header, start),
    lineEnd: header[first.next - 2] === CR ? "\r\n" : "\n",
  };
}

function deliveriesIn(
  header: Buffer,
  start: number,
): Pick<LetterTop, "deliveredNow" | "deliveredBefore" | "originalTo"> {
  const deliveredNow: string[] = [];
  const deliveredBefore: string[] = [];
  let originalTo: string | undefined;
  let isBefore = false;
  for (let field = fieldAt(header, start); field; field = fieldAt(header, field.next)) {
    if (field.name === "received") isBefore = true;
    if (field.name === "x-original-to" && !isBefore) originalTo ??= unbracketed(field.value);
    if (field.name === "delivered-to")
      (isBefore ? deliveredBefore : deliveredNow).push(unbracketed(field.value));
  }
  return { deliveredNow, deliveredBefore, ...(originalTo === undefined ? {} : { originalTo }) };
}

/** Blanks may stand in a quoted local part, as in `From "a b"@x.example Sat Nov 21 …`. */
function senderOf(line: string): string {
  let isQuoted = false;
  let at = FROM_LINE.length;
  for (; at < line.length; at++) {
    const character = line[at];
    if (isQuoted && character === "\\") at++;
    else if (character === '"') isQuoted = !isQuoted;
    else if (!isQuoted && (character === " " || character === "\t")) break;
  }
  const sender = unbracketed(line.slice(FROM_LINE.length, at));
  // Postfix, Sendmail and qmail write the null sender so, and always without a domain.
  return sender === "MAILER-DAEMON" ? "" : sender;
}

function unbracketed(text: string): string {
  const bare = text.trim();
  return bare.startsWith("<") && bare.endsWith(">") ? bare.slice(1, -1) : bare;
}

interface Field {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
  readonly next: number;
}

/** Undefined at the empty line, at the end, and where no field begins: such a message has no more header. */
function fieldAt(header: Buffer, at: number): Field | undefined {
  const first = lineAt(header, at);
  const colon = first.text.indexOf(":");
  if (at >= header.length || colon <= 0) return undefined;
  let value = first.text.slice(colon + 1);
  let { next } = first;
  while (header[next] === SPACE || header[next] === TAB) {
    const folded = lineAt(header, next);
    if (value.length < MAX_LINE) value += folded.text;
    next = folded.next;
  }
  return { name: first.text.slice(0, colon).trimEnd().toLowerCase(), value, next };
}

function lineAt(header: Buffer, at: number): { readonly text: string; readonly next: number } {
  const lf = header.indexOf(LF, at);
  const next = lf < 0 ? header.length : lf + 1;
  let end = lf < 0 ? next : lf;
  if (end > at && header[end - 1] === CR) end--;
  return { text: header.toString("utf8", at, Math.min(end, at + MAX_LINE)), next };
}
