// Which keys may be on the disk: of most keys that are asked for it is known that they are not, and nobody waits for the disk to
// say so. A Bloom filter: it errs on one side alone, and costs a look-up where it does. Called by buckets.ts.

export interface KnownKeys {
  /** False: it was never added. */
  mayBe(key: string): boolean;
  add(key: string): void;
  /** From here on it knows all keys; before, any may be there. */
  complete(): void;
}

/** 512 KB: of 400,000 keys, one in fifty of the others is asked for in vain. */
const BITS = 2 ** 22;
const PLACES = 5;

export function createKnownKeys(): KnownKeys {
  const words = new Uint32Array(BITS / 32);
  let isComplete = false;
  return {
    mayBe(key) {
      if (!isComplete) return true;
      const [first, step] = hashes(key);
      for (let nth = 0; nth < PLACES; nth++) {
        const bit = (first + nth * step) % BITS;
        if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
      }
      return true;
    },
    add(key) {
      const [first, step] = hashes(key);
      for (let nth = 0; nth < PLACES; nth++) {
        const bit = (first + nth * step) % BITS;
        words[bit >>> 5] = (words[bit >>> 5] ?? 0) | (1 << (bit & 31));
      }
    },
    complete() {
      isComplete = true;
    },
  };
}

/** Two of 32 bits (FNV-1a, and the same with another start): whoever finds keys that collide costs us look-ups. */
function hashes(key: string): readonly [first: number, step: number] {
  let [first, step] = [0x811c9dc5, 0x01234567];
  for (let at = 0; at < key.length; at++) {
    const code = key.charCodeAt(at);
    first = Math.imul(first ^ code, 0x01000193);
    step = Math.imul(step ^ code, 0x85ebca6b);
  }
  return [first >>> 0, (step | 1) >>> 0];
}
