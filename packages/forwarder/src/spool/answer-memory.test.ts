import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryOf } from "./answer-memory.ts";
import type { Answer, Value } from "./operations.ts";

const octets = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);

/** Of each, the values that refer to it are made anew. */
const withOctets: [what: string, value: () => Value, count: number][] = [
  [
    "messages that are claimed",
    () => ({
      messages: ["one", "two"].map((text) => ({ row: [1], start: octets(text) })),
      recipients: [
        [1, 0],
        [2, 0],
      ],
    }),
    2,
  ],
  ["a message that is shown", () => ({ row: [1], start: octets("one") }), 1],
  ["a chunk", () => octets("chunk"), 1],
];
for (const [what, value, count] of withOctets) {
  test(`${what}: arrives whole, and is in this thread no more`, () => {
    const answers: Answer[] = [{ kind: "done", value: value() }];
    const memory = memoryOf(answers);
    assert.equal(memory.length, count);
    const arrived = structuredClone(answers, { transfer: memory });
    assert.deepEqual(arrived, [{ kind: "done", value: value() }]);
    for (const { byteLength } of memory) assert.equal(byteLength, 0);
  });
}

const without: Answer[] = [
  { kind: "done", value: undefined },
  { kind: "done", value: "stored" },
  { kind: "done", value: 7 },
  { kind: "done", value: true },
  { kind: "done", value: [{ row: [1], recipients: [] }] },
  { kind: "done", value: { of: "x", key: "k", value: "v", expires: 1 } },
  { kind: "done", value: { row: [1], recipients: [] } },
  { kind: "no-room", cause: "the disk is full" },
];
test("of other answers nothing is handed over", () => {
  assert.deepEqual(memoryOf(without), []);
});
