import assert from "node:assert/strict";
import { test } from "node:test";
import { mayGoFrom, newFileText, rotatedText } from "./secrets-text.ts";

const ROTATION = { secret: "NEW", today: "2026-11-21", mayGoFrom: "2026-12-17" };

const rotated: [what: string, text: string, secretLines: number[], after: string][] = [
  [
    "one secret alone",
    "OLD\n",
    [1],
    "# made 2026-11-21\nNEW\n\n# replaced 2026-11-21: may go from 2026-12-17\nOLD\n",
  ],
  [
    "one that says when it was made",
    "# Header\n\n# made 2026-10-01\nOLD\n",
    [4],
    "# Header\n\n# made 2026-11-21\nNEW\n\n# made 2026-10-01, replaced 2026-11-21: may go from 2026-12-17\nOLD\n",
  ],
  [
    "one that has its date already: it stays",
    "# made 2026-11-01\nA\n\n# made 2026-10-01, replaced 2026-11-01: may go from 2026-11-27\nB\n",
    [2, 5],
    "# made 2026-11-21\nNEW\n\n# made 2026-11-01, replaced 2026-11-21: may go from 2026-12-17\nA\n\n" +
      "# made 2026-10-01, replaced 2026-11-01: may go from 2026-11-27\nB\n",
  ],
  [
    "several by hand: nobody knows when they were replaced, so they live on from today",
    "A\nB",
    [1, 2],
    "# made 2026-11-21\nNEW\n\n# replaced 2026-11-21: may go from 2026-12-17\nA\n" +
      "# replaced 2026-11-21: may go from 2026-12-17\nB",
  ],
  [
    "somebody's own comment, and CRLF",
    "# the shared one\r\nOLD\r\n",
    [2],
    "# the shared one\r\n# made 2026-11-21\nNEW\n\n# replaced 2026-11-21: may go from 2026-12-17\nOLD\r\n",
  ],
  [
    "somebody's own date",
    "A\n# ours, may go from 2027-01-01 says Eve\nB\n",
    [1, 3],
    "# made 2026-11-21\nNEW\n\n# replaced 2026-11-21: may go from 2026-12-17\nA\n" +
      "# ours, may go from 2027-01-01 says Eve\nB\n",
  ],
];
for (const [what, text, secretLines, after] of rotated) {
  test(`a rotation of ${what}`, () => {
    assert.equal(rotatedText(text, secretLines, ROTATION), after);
  });
}

test("a new file can be rotated again and again; the dates of before stay", () => {
  const first = newFileText("FIRST", "2026-10-01");
  assert.match(first, /^# Secrets .*\n# .*\n\n# made 2026-10-01\nFIRST\n$/);
  const second = rotatedText(first, [5], { secret: "SECOND", today: "2026-10-11", mayGoFrom: "2026-11-06" });
  const third = rotatedText(second, [5, 8], ROTATION);
  assert.equal(mayGoFrom(third, 5), undefined);
  assert.equal(mayGoFrom(third, 8), "2026-12-17");
  assert.equal(mayGoFrom(third, 11), "2026-11-06");
  assert.deepEqual(
    third.split("\n").filter((line) => /^[A-Z]/.test(line)),
    ["NEW", "SECOND", "FIRST"],
  );
});
