// What is under way, each with a number: it comes and goes with every message. Used wherever hundreds of them do in a second.
//
// A Set or a Map would do, and cost more than its work. One that is written all the time makes a new table for itself every few
// dozen entries, and V8 lets each old table point to the next. As soon as one of them is in the old generation, all that follow
// are taken for reachable by the quick collections, with everything that they ever held: nothing of a message died young, the
// heap of the service grew to three times what it needed, and a tenth of its CPU time was the collector's.

export class Register<T extends object> implements Iterable<T> {
  /** Its elements come and go: V8 keeps them in a dictionary, whose old tables point to nothing. */
  readonly #entries: Record<number, T> = {};
  #last = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns its number: nobody had it, and nobody will */
  add(entry: T): number {
    const number = ++this.#last;
    this.#entries[number] = entry;
    this.#size++;
    return number;
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

  /** In the order of coming; passes over those that leave meanwhile. */
  *[Symbol.iterator](): IterableIterator<T> {
    for (const number of Object.keys(this.#entries)) {
      const entry = this.#entries[Number(number)];
      if (entry !== undefined) yield entry;
    }
  }
}
