// The message on stdin of `homing sendmail`: lines with CRLF, nothing that mail cannot carry, and an end. Small ones stay in
// memory, larger ones go to a file without a name. Nothing is sent before all of it is here.
import { tmpdir } from "node:os";
import { piecesOf, writeLetter } from "../pipe/letter-file.ts";

/** What cannot be sent: its words follow "the message". */
export class BadMessage extends Error {}

export interface LineRules {
  /** A line that is a dot ends the message; what comes behind it is not read. */
  readonly dotEnds: boolean;
  readonly maxOctets: number;
}

export interface MessageInput extends AsyncDisposable {
  readonly octets: number;
  readonly eightBit: boolean;
  /** Up to a megabyte: with the header, or it has none that is taken. */
  readonly start: Buffer;
  /** From there to the end. */
  from(offset: number): AsyncIterable<Buffer>;
  /** All of it, where that is in memory. */
  readonly whole: Buffer | undefined;
}

const MEMORY_OCTETS = 1024 * 1024;
/** What may be the beginning of a line that ends the message. */
const DOT_TAIL = /(?:^|\n)(\.\r?)$/;

export async function readMessage(input: AsyncIterable<Buffer>, rules: LineRules): Promise<MessageInput> {
  const lines = mailLines(input, rules);
  const first: Buffer[] = [];
  let octets = 0;
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return inMemory(Buffer.concat(first));
    first.push(value);
    octets += value.length;
    if (octets > MEMORY_OCTETS) return await inFile(first, lines);
  }
}

function inMemory(whole: Buffer): MessageInput {
  return {
    octets: whole.length,
    eightBit: whole.some((octet) => octet > 0x7f),
    start: whole,
    whole,
    async *from(offset) {
      yield whole.subarray(offset);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

async function inFile(first: readonly Buffer[], rest: AsyncIterable<Buffer>): Promise<MessageInput> {
  const letter = await writeLetter(tmpdir(), joined(first, rest));
  return {
    octets: letter.octets,
    eightBit: letter.eightBit,
    start: Buffer.concat(first).subarray(0, MEMORY_OCTETS),
    whole: undefined,
    from: (offset) => piecesOf(letter.file, offset),
    [Symbol.asyncDispose]: () => letter[Symbol.asyncDispose](),
  };
}

async function* joined(first: readonly Buffer[], rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield* first;
  yield* rest;
}

/**
 * Files of this machine end lines with LF, mail with CRLF (RFC 5321 §2.3.8), and PHP writes both into one message. A CR
 * without its LF, or a NUL, is refused: some servers end lines there, and what follows would be commands of ours.
 */
export async function* mailLines(
  input: AsyncIterable<Buffer>,
  rules: LineRules,
): AsyncGenerator<Buffer, void> {
  const { dotEnds, maxOctets } = rules;
  /** Waits for what comes behind it: a CR, or the dot at the beginning of a line. */
  let held = "";
  let atLineStart = true;
  let octets = 0;
  for await (const piece of input) {
    const text = held + piece.toString("latin1");
    const { lines, isEnd }: UpToDot = dotEnds ? upToDot(text, atLineStart) : { lines: text, isEnd: false };
    held = isEnd ? "" : heldBack(lines, atLineStart, dotEnds);
    const whole: string = lines.slice(0, lines.length - held.length);
    if (whole !== "") {
      const out = Buffer.from(withCrlf(whole), "latin1");
      atLineStart = whole.endsWith("\n");
      octets += out.length;
      if (octets > maxOctets)
        throw new BadMessage(
          `is larger than maxMessageOctets, which is ${maxOctets}: send less, or raise that`,
        );
      yield out;
    }
    if (isEnd) return;
  }
  if (held.endsWith("\r")) throw new BadMessage(BARE_CR);
  // A dot alone in the last line, without an end of line.
  if (held === ".") return;
  if (!atLineStart) yield Buffer.from("\r\n");
}

const BARE_CR = "holds a CR without its LF, which mail cannot carry: end lines with LF, or with CR LF";

function withCrlf(text: string): string {
  if (text.includes("\0"))
    throw new BadMessage("holds a NUL, which mail cannot carry: take it out, or encode it");
  const lines = text.replaceAll("\r\n", "\n");
  if (lines.includes("\r")) throw new BadMessage(BARE_CR);
  return lines.replaceAll("\n", "\r\n");
}

interface UpToDot {
  readonly lines: string;
  readonly isEnd: boolean;
}

function upToDot(text: string, atLineStart: boolean): UpToDot {
  if (atLineStart && /^\.\r?\n/.test(text)) return { lines: "", isEnd: true };
  const at = text.search(/\n\.\r?\n/);
  return at < 0 ? { lines: text, isEnd: false } : { lines: text.slice(0, at + 1), isEnd: true };
}

function heldBack(text: string, atLineStart: boolean, dotEnds: boolean): string {
  const dot = dotEnds ? DOT_TAIL.exec(text.slice(-3)) : null;
  const isDot = dot !== null && (dot[0].startsWith("\n") || (atLineStart && text.length === dot[0].length));
  if (isDot && dot[1] !== undefined) return dot[1];
  return text.endsWith("\r") ? "\r" : "";
}
