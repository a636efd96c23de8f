// The message on its way through `homing pipe`: its header in memory, all of it in a file that has no name any more. The next
// program reads the file, not a pipe of ours: if we are killed half way, nobody has got half a letter that looks whole.
import { type FileHandle, mkdtemp, open, rm } from "node:fs/promises";
import { join } from "node:path";

export interface LetterInput {
  /** The header with its empty line, and whatever came with it. */
  readonly start: Buffer;
  readonly rest: AsyncIterable<Buffer>;
}

export interface LetterFile extends AsyncDisposable {
  /** Its position is 0: whoever gets the descriptor reads it from there. */
  readonly file: FileHandle;
  readonly octets: number;
  readonly eightBit: boolean;
}

/** A header of a forwarded message has some KiB. */
const MAX_HEADER_OCTETS = 1024 * 1024;
const LF = 0x0a;
const CR = 0x0d;

/** `too-long` where the header does not end within a megabyte. */
export async function readHeader(input: AsyncIterable<Buffer>): Promise<LetterInput | "too-long"> {
  const iterator = input[Symbol.asyncIterator]();
  const rest: AsyncIterable<Buffer> = { [Symbol.asyncIterator]: () => iterator };
  const pieces: Buffer[] = [];
  let octets = 0;
  let tail = Buffer.alloc(0);
  for (;;) {
    const { value, done } = await iterator.next();
    if (done) return { start: Buffer.concat(pieces), rest };
    const piece = value as Buffer;
    pieces.push(piece);
    octets += piece.length;
    // Each octet is looked at once or twice, however small the pieces are.
    const seen = Buffer.concat([tail, piece]);
    if (hasEmptyLine(seen, octets === seen.length)) return { start: Buffer.concat(pieces), rest };
    if (octets > MAX_HEADER_OCTETS) return "too-long";
    tail = seen.subarray(-2);
  }
}

function hasEmptyLine(octets: Buffer, isStart: boolean): boolean {
  if (isStart && (octets[0] === LF || (octets[0] === CR && octets[1] === LF))) return true;
  return octets.includes("\n\n") || octets.includes("\n\r\n");
}

/** @param folder for temporary files; @param pieces become the file, in their order */
export async function writeLetter(folder: string, pieces: AsyncIterable<Buffer>): Promise<LetterFile> {
  const file = await openNameless(folder);
  let octets = 0;
  let eightBit = false;
  try {
    for await (const piece of pieces) {
      await writeAll(file, piece, octets);
      octets += piece.length;
      eightBit ||= piece.some((octet) => octet > 0x7f);
    }
  } catch (error) {
    await file.close();
    throw error;
  }
  return { file, octets, eightBit, [Symbol.asyncDispose]: () => file.close() };
}

async function openNameless(folder: string): Promise<FileHandle> {
  // mkdtemp makes 0700: nobody else opens what has a name for a moment.
  const own = await mkdtemp(join(folder, "homing-pipe-"));
  try {
    return await open(join(own, "letter"), "wx+", 0o600);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
}

/** At a position of its own: the one that the next program sees stays 0. */
async function writeAll(file: FileHandle, piece: Buffer, position: number): Promise<void> {
  for (let done = 0; done < piece.length; ) {
    const { bytesWritten } = await file.write(piece, done, piece.length - done, position + done);
    done += bytesWritten;
  }
}

/** @param start where the first piece begins */
export async function* piecesOf(file: FileHandle, start = 0): AsyncGenerator<Buffer> {
  const size = 64 * 1024;
  for (let position = start; ; ) {
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(size), 0, size, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
  }
}

/** Lines end with CRLF in SMTP (RFC 5321 §2.3.8), and the last one, too. */
export async function* withCrlf(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let last = LF;
  for await (const piece of pieces) {
    if (piece.length === 0) continue;
    const text = last === CR && piece[0] === LF ? piece.toString("latin1", 1) : piece.toString("latin1");
    // A CR that ended the piece before went out with it; its LF goes out here.
    const begun = last === CR && piece[0] === LF ? "\n" : "";
    yield Buffer.from(begun + text.replace(/\r\n|\n/g, "\r\n"), "latin1");
    last = piece.at(-1) ?? last;
  }
  if (last !== LF) yield Buffer.from(last === CR ? "\n" : "\r\n");
}
