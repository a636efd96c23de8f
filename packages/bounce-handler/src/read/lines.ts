// Cuts octets into lines, wherever the pieces end: CRLF, LF and the bare CR of old Macs each end one. A long line comes in
// fragments, so nobody has to hold it. Called by reader.ts.

export interface Fragment {
  readonly octets: Buffer;
  readonly from: number;
  readonly to: number;
  /** The line begins here. */
  readonly first: boolean;
  /** The line ends here. */
  readonly last: boolean;
}

export interface LineCutter {
  take(piece: Buffer): void;
  /** A last line without its end is a line. */
  end(): void;
}

/** Eight times what RFC 5322 §2.1.1 allows a line. */
export const FRAGMENT_OCTETS = 8192;
const LF = 0x0a;
const CR = 0x0d;

/** @param onFragment must not keep the fragment: its object and its octets are used again */
export function createLineCutter(onFragment: (fragment: Fragment) => void): LineCutter {
  /** What the last piece left of a line. */
  const carry = Buffer.alloc(FRAGMENT_OCTETS);
  let carried = 0;
  let afterCr = false;
  // One object for all lines: a message may be nothing but line ends.
  const fragment = { octets: carry as Buffer, from: 0, to: 0, first: true, last: true };

  const emit = (piece: Buffer, from: number, to: number, last: boolean): void => {
    if (carried > 0) {
      piece.copy(carry, carried, from, to);
      fragment.octets = carry;
      fragment.from = 0;
      fragment.to = carried + to - from;
    } else {
      fragment.octets = piece;
      fragment.from = from;
      fragment.to = to;
    }
    carried = 0;
    fragment.last = last;
    onFragment(fragment);
    fragment.first = last;
  };

  return {
    take(piece) {
      if (piece.length === 0) return;
      let from = afterCr && piece[0] === LF ? 1 : 0;
      afterCr = false;
      for (let at = from; at < piece.length; at++) {
        const octet = piece[at];
        if (octet === LF || octet === CR) {
          emit(piece, from, at, true);
          if (octet === CR) {
            if (at + 1 === piece.length) afterCr = true;
            else if (piece[at + 1] === LF) at++;
          }
          from = at + 1;
        } else if (carried + at - from === FRAGMENT_OCTETS) {
          emit(piece, from, at, false);
          from = at;
        }
      }
      if (from < piece.length) carried += piece.copy(carry, carried, from);
    },
    end() {
      if (carried > 0 || !fragment.first) emit(carry, 0, 0, true);
    },
  };
}
