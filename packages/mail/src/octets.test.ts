import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { forbiddenOctet } from "./octets.ts";

const octets: [text: string, found: ReturnType<typeof forbiddenOctet>][] = [
  ["Subject: x\r\n\r\nbody\r\n", undefined],
  ["", undefined],
  ["\r\n", undefined],
  ["a\nb\r\n", "a bare LF"],
  ["\n", "a bare LF"],
  ["a\rb\r\n", "a bare CR"],
  ["a\r\r\n", "a bare CR"],
  ["a\r", "a bare CR"],
  ["a\r\n\n", "a bare LF"],
  ["a\0b\r\n", "a NUL"],
];
for (const [text, found] of octets) {
  test(`${JSON.stringify(text)} holds ${found ?? "nothing forbidden"}`, () => {
    assert.equal(forbiddenOctet(Buffer.from(text, "latin1")), found);
  });
}

test("a message passes only if CRLF pairs are all that is left of CR, LF and NUL", () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom("\r", "\n", "\r\n", "\0", ".", "x"), { maxLength: 12 }), (parts) => {
      const text = parts.join("");
      const clean = !/[\r\n\0]/.test(text.replaceAll("\r\n", ""));
      assert.equal(forbiddenOctet(Buffer.from(text)) === undefined, clean, JSON.stringify(text));
    }),
  );
});
