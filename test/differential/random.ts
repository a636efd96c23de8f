// Random values that a seed repeats. Called by everything in this folder.

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Mulberry32: 0 to 2^32 − 1. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }

  /** A whole number from `min` to `max`, both included. */
  int(min: number, max: number): number {
    return min + (this.next() % (max - min + 1));
  }

  chance(percent: number): boolean {
    return this.next() % 100 < percent;
  }

  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.next() % values.length];
    if (value === undefined) throw new RangeError("nothing to pick from");
    return value;
  }

  text(alphabet: string, min: number, max: number): string {
    let text = "";
    for (let left = this.int(min, max); left > 0; left--)
      text += alphabet.charAt(this.next() % alphabet.length);
    return text;
  }
}
