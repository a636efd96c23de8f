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
const NOTHING = Buffer.alloc(0);
const LF = 0x0a;
const CR = 0x0d;
const NEAR_OCTETS = 12;

/** @param onFragment must not keep the fragment: its object and its octets are used again */
export function createLineCutter(onFragment: (fragment: Fragment) => void): LineCutter {
  /** What the last piece left of a line: nothing, where all comes in one piece. */
  let carry: Buffer = NOTHING;
  let carried = 0;
  let afterCr = false;
  // One object for all lines: a message may be nothing but line ends.
  const fragment = { octets: NOTHING as Buffer, from: 0, to: 0, first: true, last: true };

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
      let lf = indexOf(piece, LF, from);
      let cr = indexOf(piece, CR, from);
      for (;;) {
        if (lf >= 0 && lf < from) lf = indexOf(piece, LF, from);
        if (cr >= 0 && cr < from) cr = indexOf(piece, CR, from);
        const next = lf < 0 || (cr >= 0 && cr < lf) ? cr : lf;
        const end = next < 0 ? piece.length : next;
        while (carried + end - from > FRAGMENT_OCTETS) {
          const cut = from + FRAGMENT_OCTETS - carried;
          emit(piece, from, cut, false);
          from = cut;
        }
        if (next < 0) break;
        emit(piece, from, end, true);
        from = end + 1;
        if (end === cr) {
          if (from === piece.length) afterCr = true;
          else if (piece[from] === LF) from++;
        }
      }
      if (from === piece.length) return;
      if (carry.length === 0) carry = Buffer.allocUnsafe(FRAGMENT_OCTETS);
      carried += piece.copy(carry, carried, from);
    },
    end() {
      if (carried > 0 || !fragment.first) emit(carry, 0, 0, true);
    },
  };
}

/** Most of a message is between two line ends, and a native search is faster there; its call costs more than a few octets. */
function indexOf(piece: Buffer, octet: number, from: number): number {
  const near = Math.min(from + NEAR_OCTETS, piece.length);
  for (let at = from; at < near; at++) if (piece[at] === octet) return at;
  return piece.indexOf(octet, near);
}
