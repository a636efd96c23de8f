// A hash table from selectors to places in a list, in two typed arrays: 12 octets for each selector. Several places may have
// the same selector. Called by alias-index.ts.

export interface SelectorTable {
  add(selector: number, place: number): void;
  /** In no order. */
  placesOf(selector: number): Generator<number>;
}

const SELECTOR_LETTERS = 6;
const SELECTORS = 2 ** 30;
const FIRST_DIGIT = 26;
/** Selectors are hashes, so that they spread by themselves; fuller than this, the way to a free slot grows. */
const MAX_LOAD = 0.7;

/** A selector as a number of 30 bits; undefined for any other text. */
export function selectorNumber(selector: string): number | undefined {
  if (selector.length !== SELECTOR_LETTERS) return undefined;
  let number = 0;
  for (let at = 0; at < SELECTOR_LETTERS; at++) {
    const code = selector.charCodeAt(at);
    // base32 in lower case: a–z, then 2–7.
    if (code >= 0x61 && code <= 0x7a) number = number * 32 + code - 0x61;
    else if (code >= 0x32 && code <= 0x37) number = number * 32 + FIRST_DIGIT + code - 0x32;
    else return undefined;
  }
  return number;
}

/** @param count of places that will be added */
export function createSelectorTable(count: number): SelectorTable {
  const capacity = Math.ceil(count / MAX_LOAD) + 1;
  /** One more than the selector; 0 is a free slot. */
  const selectors = new Uint32Array(capacity);
  const places = new Uint32Array(capacity);
  const first = (selector: number): number => Math.floor((selector / SELECTORS) * capacity);
  const next = (slot: number): number => (slot + 1 === capacity ? 0 : slot + 1);

  return {
    add(selector, place) {
      let slot = first(selector);
      while (selectors[slot] !== 0) slot = next(slot);
      selectors[slot] = selector + 1;
      places[slot] = place;
    },
    *placesOf(selector) {
      for (let slot = first(selector); selectors[slot] !== 0; slot = next(slot)) {
        const place = places[slot];
        if (selectors[slot] === selector + 1 && place !== undefined) yield place;
      }
    },
  };
}
