import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createCollector } from "./collector.ts";
import { createLineCutter, FRAGMENT_OCTETS } from "./lines.ts";
import { decoderFor } from "./transfer-encoding.ts";

function linesOf(pieces: readonly string[]): string[] {
  const lines: string[] = [];
  let line = "";
  const cutter = createLineCutter(({ octets, from, to, first, last }) => {
    assert.ok(to - from <= FRAGMENT_OCTETS);
    line = (first ? "" : line) + octets.toString("latin1", from, to);
    if (last) lines.push(line);
  });
  for (const piece of pieces) cutter.take(Buffer.from(piece, "latin1"));
  cutter.end();
  return lines;
}

test("lines are what stands between CRLF, LF and CR, wherever the pieces end", () => {
  const piece = fc.array(fc.constantFrom("\r", "\n", "\r\n", "a", "bc", "x".repeat(5000)), { maxLength: 12 });
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const texts = pieces.map((one) => one.join(""));
      const expected = texts.join("").split(/\r\n|\r|\n/);
      // What follows the last line end is a line only where there is something.
      if (expected.at(-1) === "") expected.pop();
      assert.deepEqual(linesOf(texts), expected);
    }),
  );
});

function decoded(encoding: string, text: string): string {
  const into = createCollector(1024 * 1024);
  const decode = decoderFor(encoding);
  const cutter = createLineCutter((line) => decode(line, into));
  cutter.take(Buffer.from(text, "latin1"));
  cutter.end();
  return into.text();
}

const encodings: readonly [encoding: string, text: string, plain: string][] = [
  ["", "a=41\r\nb", "a=41\nb\n"],
  ["7bit", "a", "a\n"],
  ["Base64", "SGVsbG8=\r\n", "Hello"],
  ["base64", "SGVs\r\nbG8s\r\n IHlv dQ==\r\n", "Hello, you"],
  ["base64", "SGVsbG8=SGVsbG8=", "HelloHello"],
  ["base64", "SGVsbG8", "Hello"],
  ["base64", Buffer.from("Hello! ".repeat(5000)).toString("base64"), "Hello! ".repeat(5000)],
  ["quoted-printable", "a=3Db=\r\nc \t\r\n=E9=e9", "a=bc\n\xe9\xe9\n"],
  ["quoted-printable", "=\r\n=4\r\n=zz=4=", "=4\n=zz=4"],
  ["quoted-printable", "a= \r\nb", "ab\n"],
  ["quoted-printable", "=65".repeat(9000), `${"e".repeat(9000)}\n`],
];
for (const [encoding, text, plain] of encodings) {
  test(`${encoding || "no encoding"}: ${JSON.stringify(text.slice(0, 40))} is ${JSON.stringify(plain.slice(0, 40))}`, () => {
    assert.equal(decoded(encoding, text), plain);
  });
}
