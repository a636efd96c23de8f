// What is under way, each with a number: it comes and goes with every message. ADR 0031 has who uses it.
//
// A Set or a Map would do, and cost more than its work. One that is written all the time makes a new table for itself every few
// dozen entries, and V8 lets each old table point to the next. As soon as one of them is in the old generation, all that follow
// are taken for reachable by the quick collections, with everything that they ever held: nothing of a message died young, and
// the heap of the service grew to three times what was in use.

/** Numbers begin again: behind 2^32, which a busy service needs in 50 days, they would be names for V8. */
const HIGHEST = 2 ** 30;

export class Register<T extends object> implements Iterable<T> {
  /** Its elements come and go: V8 keeps them in a dictionary, whose old tables point to nothing. */
  readonly #entries: Record<number, T> = {};
  readonly #highest: number;
  #last = 0;
  #size = 0;

  /** @param highest number; more than that cannot be there at a time */
  constructor(highest = HIGHEST) {
    this.#highest = highest;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns its number, which nobody else has, nor had for the last billion entries */
  add(entry: T): number {
    do this.#last = this.#last === this.#highest ? 1 : this.#last + 1;
    while (this.has(this.#last));
    this.#entries[this.#last] = entry;
    this.#size++;
    return this.#last;
  }

  get(number: number): T | undefined {
    return this.#entries[number];
  }

  has(number: number): boolean {
    return number in this.#entries;
  }

  /** @returns false where it was gone already */
  delete(number: number): boolean {
    if (!this.has(number)) return false;
    delete this.#entries[number];
    this.#size--;
    return true;
  }

  /** In the order of their numbers; passes over those that leave meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const key of Object.keys(this.#entries)) {
      const entry = this.#entries[Number(key)];
      if (entry !== undefined) yield entry;
    }
  }
}
