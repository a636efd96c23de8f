import assert from "node:assert/strict";
import { test } from "node:test";
import { boundedLines } from "./bounded-lines.ts";

const rows: [pieces: string[], read: number, isTooLong: boolean][] = [
  [["abc\n", "de\n"], 2, false],
  [["12345\n"], 1, false],
  [["ab\ncd", "ef\n"], 2, false],
  [["ab\ncd", "efg\n"], 1, true],
  [["ab", "c", "de"], 2, true],
  [["ab", "c", "d\n", "efgh\n"], 4, false],
  [[], 0, false],
];
for (const [pieces, read, isTooLong] of rows) {
  test(`of ${JSON.stringify(pieces)}, with lines of 4 octets, ${read} are read`, async () => {
    async function* source() {
      for (const piece of pieces) yield Buffer.from(piece);
    }
    const bounded = boundedLines(source(), 4);
    let count = 0;
    for await (const piece of bounded.pieces) count += piece.length > 0 ? 1 : 0;
    assert.deepEqual([count, bounded.isTooLong()], [read, isTooLong]);
  });
}
