import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createOctetScan, forbiddenOctet } from "./octets.ts";

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
  ["\r\na\nb\rc", "a bare LF"],
  ["a\0b\r\n", "a NUL"],
];
for (const [text, found] of octets) {
  test(`${JSON.stringify(text)} holds ${found ?? "nothing forbidden"}, in one piece or octet by octet`, () => {
    const message = Buffer.from(text, "latin1");
    assert.equal(forbiddenOctet(message), found);
    const scan = createOctetScan();
    for (let at = 0; at < message.length; at++) scan.scan(message.subarray(at, at + 1));
    assert.equal(scan.end(), found);
  });
}

const hostileText = fc
  .array(fc.constantFrom("\r", "\n", "\r\n", "\0", ".", "x"), { maxLength: 12 })
  .map((parts) => parts.join(""));

test("a message passes only if CRLF pairs are all that is left of CR, LF and NUL", () => {
  fc.assert(
    fc.property(hostileText, (text) => {
      const clean = !/[\r\n\0]/.test(text.replaceAll("\r\n", ""));
      assert.equal(forbiddenOctet(Buffer.from(text)) === undefined, clean, JSON.stringify(text));
    }),
  );
});

test("wherever a message is cut into pieces, it passes or does not, as the whole does", () => {
  fc.assert(
    fc.property(hostileText, fc.array(fc.nat(12), { maxLength: 4 }), (text, cuts) => {
      const scan = createOctetScan();
      const places = [0, ...cuts.sort((a, b) => a - b), text.length];
      for (const [index, place] of places.entries())
        scan.scan(Buffer.from(text.slice(places[index - 1], place)));
      assert.equal(scan.end() === undefined, forbiddenOctet(Buffer.from(text)) === undefined);
    }),
  );
});

test("what was found first stays found", () => {
  const scan = createOctetScan();
  assert.equal(scan.scan(Buffer.from("\n")), "a bare LF");
  assert.equal(scan.scan(Buffer.from("\0")), "a bare LF");
  assert.equal(scan.end(), "a bare LF");
});
