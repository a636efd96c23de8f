import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { quotedPrintable } from "./quoted-printable.ts";

function decoded(text: string): Buffer {
  const octets = text
    .replaceAll("=\r\n", "")
    .replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(octets, "latin1");
}

const cases: [octets: string, encoded: string][] = [
  ["", ""],
  ["plain\r\n", "plain\r\n"],
  ["a=b", "a=3Db"],
  ["blank at the end \r\nx", "blank at the end=20\r\nx"],
  ["\xe9", "=E9"],
  ["\n", "=0A"],
];
for (const [octets, encoded] of cases) {
  test(`${JSON.stringify(octets)} is written ${JSON.stringify(encoded)}`, () => {
    assert.equal(quotedPrintable(Buffer.from(octets, "latin1")), encoded);
  });
}

test("whatever the octets, a decoder has them back, no line is longer than 76, and all is ASCII", () => {
  const octets = fc.array(
    fc.oneof(fc.constant([0x0d, 0x0a]), fc.constant([0x20]), fc.array(fc.integer({ min: 0, max: 255 }))),
    { maxLength: 60 },
  );
  fc.assert(
    fc.property(octets, (parts) => {
      const given = Buffer.from(parts.flat());
      const encoded = quotedPrintable(given);
      assert.deepEqual(decoded(encoded), given);
      for (const line of encoded.split("\r\n")) {
        assert.ok(line.length <= 76, line);
        assert.match(line, /^[!-~ ]*$/);
        assert.ok(!line.endsWith(" "));
      }
    }),
  );
});
