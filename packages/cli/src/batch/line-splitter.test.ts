import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createLineSplitter, type Line, TOO_LONG } from "./line-splitter.ts";

function split(maxOctets: number, chunks: readonly Buffer[]): Line[] {
  const splitter = createLineSplitter(maxOctets);
  return [...chunks.flatMap((chunk) => [...splitter.push(chunk)]), ...splitter.end()];
}

const texts: [what: string, chunks: string[], lines: Line[]][] = [
  ["nothing", [], []],
  ["whole lines", ["a\nb\n"], ["a", "b"]],
  ["a last line without an end", ["a\nb"], ["a", "b"]],
  ["a line in pieces", ["a", "b", "", "c\nd\n"], ["abc", "d"]],
  ["empty lines", ["\n\na\n\n"], ["", "", "a", ""]],
  ["lines at the limit", ["12345\n12345\n", "123", "45\n"], ["12345", "12345", "12345"]],
  ["a line above it", ["123456\na\n"], [TOO_LONG, "a"]],
  ["such a line in pieces", ["123", "456", "789\na\n"], [TOO_LONG, "a"]],
  ["such a line at the end", ["a\n123456"], ["a", TOO_LONG]],
];
for (const [what, chunks, lines] of texts) {
  test(`${what}: ${JSON.stringify(chunks)}`, () => {
    assert.deepEqual(
      split(
        5,
        chunks.map((chunk) => Buffer.from(chunk)),
      ),
      lines,
    );
  });
}

test("however the octets come in pieces, the lines are the same: also inside a character", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "ü", "\n", "😀") }),
      fc.array(fc.nat(20)),
      (text, cuts) => {
        const octets = Buffer.from(text);
        const chunks: Buffer[] = [];
        let from = 0;
        for (const cut of cuts) {
          chunks.push(octets.subarray(from, from + cut));
          from += cut;
        }
        chunks.push(octets.subarray(from));
        const expected = text.split("\n").map((line) => (Buffer.byteLength(line) > 12 ? TOO_LONG : line));
        if (expected.at(-1) === "") expected.pop();
        assert.deepEqual(split(12, chunks), expected);
      },
    ),
  );
});
