// Octets to lines, with a limit on their length and in constant memory. Called by `homing batch`.
// Not node:readline: it keeps a line that never ends in memory, however long, and its iterator is no faster.

const LF = 0x0a;

/** Stands for a line that is longer than the limit. Its octets are thrown away as they come. */
export const TOO_LONG: unique symbol = Symbol("too long");

export type Line = string | typeof TOO_LONG;

export interface LineSplitter {
  /** The lines that end in this chunk, as UTF-8, without their LF. */
  push(chunk: Buffer): Generator<Line>;
  /** What came after the last LF. */
  end(): Generator<Line>;
}

/** @param maxOctets of a line, without its LF */
export function createLineSplitter(maxOctets: number): LineSplitter {
  /** The beginning of a line whose end has not come yet: at most `maxOctets`. */
  let begun: Buffer[] = [];
  let begunOctets = 0;
  let skipping = false;

  const keep = (octets: Buffer): void => {
    if (skipping || octets.length === 0) return;
    begunOctets += octets.length;
    skipping = begunOctets > maxOctets;
    if (skipping) begun = [];
    // A copy: what a stream gives may be a piece of something larger that it would hold in memory.
    else begun.push(Buffer.from(octets));
  };
  const take = (): Line => {
    const line = skipping ? TOO_LONG : Buffer.concat(begun).toString();
    begun = [];
    begunOctets = 0;
    skipping = false;
    return line;
  };

  return {
    *push(chunk) {
      let from = 0;
      for (let at = chunk.indexOf(LF); at >= 0; at = chunk.indexOf(LF, from)) {
        if (begunOctets === 0 && at - from <= maxOctets) yield chunk.toString("utf8", from, at);
        else {
          keep(chunk.subarray(from, at));
          yield take();
        }
        from = at + 1;
      }
      keep(chunk.subarray(from));
    },
    *end() {
      if (begunOctets > 0) yield take();
    },
  };
}
