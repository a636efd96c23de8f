// The connections of one server, in place of the library's Set (register.ts says why no Set): as much of one as the library
// uses. Made by server.ts.
import { Register } from "../register.ts";

/** What has a place in a roster. */
export interface Listed {
  /** Written by the roster. */
  place: number;
}

/** Before it has one. */
export const NO_PLACE = 0;

export class Roster<T extends Listed> implements Iterable<T> {
  readonly #listed = new Register<T>();

  get size(): number {
    return this.#listed.size;
  }

  add(one: T): this {
    one.place = this.#listed.add(one);
    return this;
  }

  delete(one: T): boolean {
    return this.#listed.delete(one.place);
  }

  forEach(call: (one: T) => void): void {
    for (const one of this) call(one);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#listed[Symbol.iterator]();
  }
}
