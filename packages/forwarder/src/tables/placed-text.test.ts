import assert from "node:assert/strict";
import { test } from "node:test";
import { joinLines } from "./placed-text.ts";

const lines = joinLines([
  { line: 3, text: "a: b," },
  { line: 5, text: " c" },
  { line: 6, text: "\td" },
]);

const places: [at: number, line: number, column: number][] = [
  [0, 3, 1],
  [4, 3, 5],
  [5, 5, 1],
  [6, 5, 2],
  [7, 6, 1],
  [8, 6, 2],
  // Behind the end: where something is missing.
  [9, 6, 3],
  [50, 6, 3],
];
for (const [at, line, column] of places) {
  test(`character ${at} of the joined lines stands at ${line}:${column}`, () => {
    assert.deepEqual(lines.place(at), { line, column });
  });
}

test("no lines at all begin at 1:1", () => {
  assert.deepEqual(joinLines([]).place(0), { line: 1, column: 1 });
});

test("the places in an entry of very many lines are found in no time", () => {
  const parts = Array.from({ length: 200_000 }, (_, index) => ({ line: index + 1, text: " a@x.test," }));
  const { text, place } = joinLines(parts);
  const begin = performance.now();
  for (let at = 0; at < text.length; at += 10) assert.equal(place(at).line, at / 10 + 1);
  // A walk from the first line for each place would take half a minute.
  assert.ok(performance.now() - begin < 5_000);
});
