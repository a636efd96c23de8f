import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createSelectorTable } from "./selector-table.ts";

test("a selector table gives every place back that was added, as a Map of lists does", () => {
  // Few selectors, at both ends: they meet, and the last slot is followed by the first.
  const selector = fc.oneof(
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 2 ** 30 - 3, max: 2 ** 30 - 1 }),
  );
  fc.assert(
    fc.property(fc.array(selector, { maxLength: 50 }), (selectors) => {
      const table = createSelectorTable(selectors.length);
      for (const [place, one] of selectors.entries()) table.add(one, place);
      for (const one of [0, 1, 2, 3, 4, 2 ** 29, 2 ** 30 - 3, 2 ** 30 - 1]) {
        const expected = selectors.flatMap((other, place) => (other === one ? [place] : []));
        assert.deepEqual(
          [...table.placesOf(one)].toSorted((a, b) => a - b),
          expected,
        );
      }
    }),
  );
});
