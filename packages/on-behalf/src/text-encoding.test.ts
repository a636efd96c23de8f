import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { wrapped } from "./identities/own-mail.ts";
import { encodedWords, textBody } from "./text-encoding.ts";

test("lines of ASCII stay as they are, so that a link can be read in the source", () => {
  assert.deepEqual(textBody(["a=b", "-- ", "x".repeat(998)]), [
    "Content-Type: text/plain; charset=us-ascii",
    "Content-Transfer-Encoding: 7bit",
    "",
    "a=b",
    "-- ",
    "x".repeat(998),
    "",
  ]);
});

test("UTF-8, and lines that are too long, become quoted-printable of 76 characters a line", () => {
  const line = fc.string({ unit: "grapheme", maxLength: 300 }).map((text) => text.replace(/[\r\n]/g, ""));
  fc.assert(
    fc.property(fc.array(line, { maxLength: 4 }), (lines) => {
      const all = ["ü", ...lines, "x".repeat(999)];
      const [, encoding, , ...body] = textBody(all);
      assert.equal(encoding, "Content-Transfer-Encoding: quoted-printable");
      for (const one of body) assert.match(one, /^[ -~]{0,76}$/);
      for (const one of body) assert.doesNotMatch(one, / $/);
      const text = body.join("\r\n").replace(/=\r\n/g, "");
      const octets = text.replace(/=([0-9A-F]{2})/g, (_, digits) =>
        String.fromCharCode(Number.parseInt(digits, 16)),
      );
      assert.equal(
        Buffer.from(octets, "latin1").toString("utf8"),
        `${all.map((l) => l.toWellFormed()).join("\r\n")}\r\n`,
      );
    }),
    { numRuns: 200 },
  );
});

test("a subject of more than ASCII is encoded in words of 75 characters, each of whole characters", () => {
  assert.equal(encodedWords("plain"), "plain");
  fc.assert(
    fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }), (subject) => {
      const text = `ü${subject}`.toWellFormed();
      const words = encodedWords(text).split("\r\n ");
      const texts = words.map((word) => {
        assert.ok(word.length <= 75);
        const [, base64 = ""] = /^=\?utf-8\?B\?([A-Za-z0-9+/=]+)\?=$/.exec(word) ?? [];
        return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(
          Buffer.from(base64, "base64"),
        );
      });
      assert.equal(texts.join(""), text);
    }),
    { numRuns: 200 },
  );
});

test("words are wrapped at blanks, and nothing is lost", () => {
  assert.deepEqual(wrapped(`${"a".repeat(40)} ${"b".repeat(31)} c ${"d".repeat(100)} e`), [
    `${"a".repeat(40)} ${"b".repeat(31)}`,
    "c",
    "d".repeat(100),
    "e",
  ]);
});
