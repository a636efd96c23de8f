// The stack of open multiparts, and the lines that part them (RFC 2046 §5.1.1). An explicit stack: no depth of nesting
// costs a stack frame. Called by parts.ts.
import type { Fragment } from "./lines.ts";

export interface BoundaryLine {
  /** Index of the multipart whose boundary it is; those above it are over. */
  readonly index: number;
  readonly closes: boolean;
}

export interface BoundaryStack {
  depth(): number;
  /** @param boundary undefined where none was named: the first line of two hyphens and more is taken for it */
  push(boundary: string | undefined): void;
  /** Leaves so many. */
  cutTo(depth: number): void;
  find(line: Fragment): BoundaryLine | undefined;
}

/** RFC 2046 allows 70. */
const MAX_BOUNDARY = 256;
const HYPHEN = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;

/** Is it one that can be looked for? */
export function isBoundary(text: string | undefined): text is string {
  return text !== undefined && text !== "" && text.length <= MAX_BOUNDARY;
}

export function createBoundaryStack(): BoundaryStack {
  /** Without the two hyphens. */
  const boundaries: (Buffer | undefined)[] = [];
  /** How many have that length: most lines of hyphens end at this. */
  const lengths: number[] = [];

  const count = (boundary: Buffer | undefined, change: 1 | -1): void => {
    if (boundary) lengths[boundary.length] = (lengths[boundary.length] ?? 0) + change;
  };

  /** The innermost: two multiparts may have the same one. */
  const indexOf = (octets: Buffer, from: number, to: number): number => {
    if (!lengths[to - from]) return -1;
    for (let index = boundaries.length - 1; index >= 0; index--) {
      const boundary = boundaries[index];
      if (boundary?.length === to - from && isAt(octets, from, boundary)) return index;
    }
    return -1;
  };

  return {
    depth: () => boundaries.length,
    push(boundary) {
      const octets = boundary === undefined ? undefined : Buffer.from(boundary, "latin1");
      boundaries.push(octets);
      count(octets, 1);
    },
    cutTo(depth) {
      while (boundaries.length > depth) count(boundaries.pop(), -1);
    },
    // Octets are compared, and no string is made: a message may be nothing but lines that look like boundaries.
    find({ octets, from, to, first }) {
      if (!first || octets[from] !== HYPHEN || octets[from + 1] !== HYPHEN || boundaries.length === 0)
        return undefined;
      let end = to;
      while (end > from && (octets[end - 1] === SPACE || octets[end - 1] === TAB)) end--;
      const start = from + 2;
      if (end <= start || end - start > MAX_BOUNDARY + 2) return undefined;
      const innermost = boundaries.length - 1;
      if (boundaries[innermost] === undefined && end - start <= MAX_BOUNDARY) {
        const guessed = Buffer.from(octets.subarray(start, end));
        boundaries[innermost] = guessed;
        count(guessed, 1);
        return { index: innermost, closes: false };
      }
      const next = indexOf(octets, start, end);
      if (next >= 0) return { index: next, closes: false };
      if (octets[end - 1] !== HYPHEN || octets[end - 2] !== HYPHEN) return undefined;
      const closed = indexOf(octets, start, end - 2);
      return closed < 0 ? undefined : { index: closed, closes: true };
    },
  };
}

function isAt(octets: Buffer, from: number, expected: Buffer): boolean {
  for (let at = expected.length - 1; at >= 0; at--) {
    if (octets[from + at] !== expected[at]) return false;
  }
  return true;
}
