import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryContent } from "@homing/mail";
import { fieldsOf, headerOf } from "./header.ts";

const rows: [message: string, header: string, wantsBody: boolean][] = [
  ["A: b\r\n\r\nbody", "A: b\r\n\r\n", false],
  ["\r\nDKIM-Signature: x\r\n\r\n", "\r\n", false],
  ["A: b\r\n", "A: b\r\n", false],
  ["A: b\r\ndkim-signature: x\r\n\r\nbody", "A: b\r\ndkim-signature: x\r\n\r\n", true],
  ["ARC-Seal \r\n\t: x\r\n\r\nbody", "ARC-Seal \r\n\t: x\r\n\r\n", true],
  ["A: b\r\n DKIM-Signature: x\r\n\r\nbody", "A: b\r\n DKIM-Signature: x\r\n\r\n", false],
  ["A: b\r\n\r\nDKIM-Signature: x\r\n\r\n", "A: b\r\n\r\n", false],
];
for (const [message, header, wantsBody] of rows) {
  test(`${JSON.stringify(message)} ${wantsBody ? "wants" : "does not want"} its body`, () => {
    const found = headerOf(memoryContent(Buffer.from(message)));
    assert.ok(found.kind === "header");
    assert.deepEqual([found.octets.toString(), found.wantsBody], [header, wantsBody]);
  });
}

const tooLong: [what: string, start: string, octets: number][] = [
  ["octets", `A: ${"b".repeat(130 * 1024)}\r\n\r\n`, 0],
  ["lines", `A: ${"b\r\n ".repeat(5_001)}\r\n\r\n`, 0],
  ["octets, so that its end is not to be seen", "A: b\r\n", 10_000_000],
];
for (const [what, text, octets] of tooLong) {
  test(`a header of too many ${what} is too long`, () => {
    const start = Buffer.from(text);
    assert.deepEqual(headerOf({ start, octets: Math.max(octets, start.length) }), { kind: "too-long" });
  });
}

test("the fields of a name are found whatever its case, unfolded, with what is no field behind them", () => {
  const header = Buffer.from("From: a\r\n\tb\r\nX: y\r\nFROM : c\r\nwhat is this\r\nFrom-X: d\r\n\r\n");
  assert.deepEqual(fieldsOf(header, "from"), [" a\tb", " c what is this"]);
});
