import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  type Content,
  countedHolds,
  isInMemory,
  memoryContent,
  wholeContent,
  withFields,
} from "./content.ts";
import { ownResultsIn } from "./own-results.ts";
import { type OctetRange, withoutRanges } from "./without-ranges.ts";

/** As of a message that is too large for memory. */
function inPieces(pieces: readonly Buffer[], start: Buffer): Content {
  return {
    octets: Buffer.concat(pieces).length,
    start,
    async *pieces() {
      yield* pieces;
    },
    ...countedHolds(undefined),
  };
}

async function check(content: Content, ranges: readonly OctetRange[]): Promise<void> {
  const before = (await wholeContent(content)).toString("latin1");
  let expected = "";
  let from = 0;
  for (const range of ranges) {
    expected += before.slice(from, range.from);
    from = range.to;
  }
  expected += before.slice(from);
  const cut = withoutRanges(content, ranges);
  assert.equal((await wholeContent(cut)).toString("latin1"), expected);
  assert.equal(cut.octets, expected.length);
  assert.equal(isInMemory(cut), isInMemory(content));
  if (cut.parts) assert.equal(Buffer.concat(cut.parts).toString("latin1"), expected);
  const missing = before.length - expected.length;
  assert.equal(cut.start.toString("latin1"), expected.slice(0, content.start.length - missing));
}

test("octets are cut out wherever the content is, and however it comes", async () => {
  const text = fc.array(fc.constantFrom("a", "b", "c"), { minLength: 1, maxLength: 40 });
  const places = fc.array(fc.nat(40), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(text, places, places, fc.nat(40), async (letters, cuts, ends, startLength) => {
      const whole = Buffer.from(letters.map((letter, index) => letter + index).join(""));
      const start = whole.subarray(0, Math.max(startLength, 1));
      const bounds = ends.map((end) => Math.min(end, start.length)).sort((a, b) => a - b);
      const ranges = bounds.flatMap((to, index) =>
        index % 2 === 1 ? [{ from: bounds[index - 1] ?? 0, to }] : [],
      );
      const edges = [0, ...cuts.map((at) => Math.min(at, whole.length)).sort((a, b) => a - b), whole.length];
      const pieces = edges.flatMap((to, index) =>
        index === 0 ? [] : [Buffer.from(whole.subarray(edges[index - 1], to))],
      );
      await check(inPieces(pieces, start), ranges);
      await check(memoryContent(pieces), ranges);
      const fields = "X: y\r\n";
      const shifted = ranges.map(({ from, to }) => ({ from: from + fields.length, to: to + fields.length }));
      await check(withFields(inPieces(pieces, start), [fields]), shifted);
      await check(withFields(memoryContent(pieces), [fields]), shifted);
    }),
  );
});

test("fields that pretend to be ours go, and every other octet stays", async () => {
  const forged = "Authentication-Results: mx.example;\r\n spf=pass\r\n";
  const message = `A: 1\r\n${forged}B: 2\r\n${forged}\r\nbody ${forged}`;
  const content = memoryContent(Buffer.from(message));
  const cut = withoutRanges(content, ownResultsIn(content.start, "mx.example"));
  assert.equal((await wholeContent(cut)).toString(), `A: 1\r\nB: 2\r\n\r\nbody ${forged}`);
});

test("what is behind the cut is shared, not copied", () => {
  const body = Buffer.alloc(1_000_000, "b");
  const header = Buffer.from("A: 1\r\nB: 2\r\n\r\n");
  const cut = withoutRanges(memoryContent([header, body]), [{ from: 0, to: 6 }]);
  assert.equal(cut.parts?.at(-1), body);
  assert.equal(cut.start.toString(), "B: 2\r\n\r\n");
});

test("100,000 ranges leave one part before the rest", () => {
  const content = memoryContent(Buffer.from("x: y\r\n".repeat(200_000)));
  const ranges = Array.from({ length: 100_000 }, (_, index) => ({ from: index * 12, to: index * 12 + 6 }));
  const cut = withoutRanges(content, ranges);
  assert.equal(cut.parts?.length, 2);
  assert.equal(cut.octets, 600_000);
});

test("nothing to cut out is the same content", () => {
  const content = memoryContent(Buffer.from("x"));
  assert.equal(withoutRanges(content, []), content);
});

test("it is held and let go with the content that it is of", () => {
  let given = 0;
  const content = memoryContent(Buffer.from("abc"), () => given++);
  const cut = withoutRanges(content, [{ from: 0, to: 1 }]);
  cut.hold();
  content.release();
  assert.equal(given, 0);
  cut.release();
  assert.equal(given, 1);
});

test("ranges in a wrong order, upon another or beyond the start are a bug", () => {
  const content = memoryContent(Buffer.from("abcdef"));
  for (const ranges of [
    [{ from: 2, to: 1 }],
    [
      { from: 3, to: 4 },
      { from: 1, to: 2 },
    ],
    [
      { from: 1, to: 3 },
      { from: 2, to: 4 },
    ],
    [{ from: 1, to: 7 }],
  ])
    assert.throws(() => withoutRanges(content, ranges), /cannot be cut out/);
});
