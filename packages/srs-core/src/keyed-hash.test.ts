import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { base64Prefix } from "./base64.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { macInput, plainInput } from "./mac-input.ts";

const bytes = fc.uint8Array({ maxLength: 300 });

for (const algorithm of ["md5", "sha1", "sha256"] as const) {
  test(`a keyed hash is HMAC-${algorithm} as node:crypto makes it, with keys and messages of any length`, () => {
    fc.assert(
      fc.property(
        fc.string({ unit: "grapheme", minLength: 1, maxLength: 150 }),
        bytes,
        bytes,
        (secret, one, two) => {
          const hash = createKeyedHash(algorithm, secret);
          for (const message of [one, two, one]) {
            const expected = createHmac(algorithm, secret).update(message).digest("hex");
            assert.equal(hash(message).toString("hex"), expected);
          }
        },
      ),
    );
  });
}

test("a base64 prefix is the beginning of what Node writes, in both alphabets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(27), (octets, length) => {
      for (const alphabet of ["base64", "base64url"] as const) {
        assert.equal(
          base64Prefix(octets, length, alphabet),
          Buffer.from(octets).toString(alphabet).slice(0, length),
        );
      }
    }),
  );
});

test("MAC input has every text behind its length, and no two lists of fields have the same", () => {
  const input = macInput("label", ["a", "", "é"]);
  assert.equal(Buffer.from(input).toString("hex"), "00056c6162656c0001610000" + "0002c3a9");
  const fields = fc.array(fc.string({ unit: "grapheme", maxLength: 30 }), { maxLength: 4 });
  fc.assert(
    fc.property(fields, fields, (one, two) => {
      const first = Buffer.from(macInput("x", one)).toString("hex");
      const second = Buffer.from(macInput("x", two)).toString("hex");
      assert.equal(first === second, JSON.stringify(one) === JSON.stringify(two));
    }),
  );
});

test("input longer than any address is not cut", () => {
  const long = "é".repeat(2000);
  assert.equal(Buffer.from(plainInput(long)).toString(), long);
  assert.equal(macInput("x", [long]).length, 3 + 2 + 4000);
});
