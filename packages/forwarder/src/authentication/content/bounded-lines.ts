// The pieces of a message up to a line that is too long. Called by whoever hands them to the library, which keeps a line
// until it ends, and begins anew with it at each piece: a message of one line would take the square of its size.

/** RFC 5322 §2.1.1 knows 998 octets. A line within one piece costs nothing. */
export const MAX_LINE_OCTETS = 512 * 1024;
const LF = 0x0a;

export interface BoundedLines {
  /** Ends before the line's end. */
  readonly pieces: AsyncIterable<Uint8Array>;
  isTooLong(): boolean;
}

export function boundedLines(pieces: AsyncIterable<Uint8Array>, max = MAX_LINE_OCTETS): BoundedLines {
  let open = 0;
  let isTooLong = false;
  async function* bounded(): AsyncIterable<Uint8Array> {
    for await (const piece of pieces) {
      const first = piece.indexOf(LF);
      // Lines that end in the piece they begin in are never carried over.
      isTooLong = open > 0 && open + (first < 0 ? piece.length : first) > max;
      if (isTooLong) return;
      open = first < 0 ? open + piece.length : piece.length - 1 - piece.lastIndexOf(LF);
      yield piece;
    }
  }
  return { pieces: bounded(), isTooLong: () => isTooLong };
}
