// Keeps the beginning of what comes, octet by octet: strings of single lines would cost more than the reading. Called by
// transfer-encoding.ts and reader.ts.

/**
 * Functions, and no getters: each object that is written down with a getter has a hidden class of its own, which keeps what the
 * getter sees from the quick collection of garbage. With them a third of what a bounce leaves behind stayed there.
 */
export interface Collector {
  length(): number;
  /** More came than is kept. */
  overflowed(): boolean;
  put(octet: number): void;
  putAll(octets: Buffer, from: number, to: number): void;
  /** Octets as characters, one to one. */
  text(): string;
}

const FIRST_OCTETS = 1024;
const NOTHING = Buffer.alloc(0);
/** Below it, a loop is faster than the call of a copy. */
const SHORT = 32;

export function createCollector(limit: number): Collector {
  let kept: Buffer = NOTHING;
  let length = 0;
  let overflowed = false;

  const growTo = (needed: number): void => {
    if (needed <= kept.length) return;
    const grown = Buffer.allocUnsafe(Math.min(limit, Math.max(needed, 2 * kept.length, FIRST_OCTETS)));
    kept.copy(grown, 0, 0, length);
    kept = grown;
  };

  return {
    length: () => length,
    overflowed: () => overflowed,
    put(octet) {
      if (length === limit) {
        overflowed = true;
        return;
      }
      if (length === kept.length) growTo(length + 1);
      kept[length++] = octet;
    },
    putAll(octets, from, to) {
      if (from === to) return;
      const end = Math.min(to, from + limit - length);
      if (end < to) overflowed = true;
      growTo(length + end - from);
      if (end - from < SHORT) for (let at = from; at < end; at++) kept[length++] = octets[at] ?? 0;
      else length += octets.copy(kept, length, from, end);
    },
    text: () => kept.toString("latin1", 0, length),
  };
}
