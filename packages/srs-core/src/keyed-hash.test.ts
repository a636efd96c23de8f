import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import { base64Prefix } from "./base64.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { classicInput, labelledInput, type MacInput } from "./mac-input.ts";

const text = (maxLength: number) => fc.string({ unit: "grapheme", maxLength });

const xInput = labelledInput("x");

function octetsOf(input: MacInput): Buffer {
  return Buffer.from(input.octets.subarray(0, input.length));
}

for (const algorithm of ["sha1", "sha256"] as const) {
  test(`a keyed hash is HMAC-${algorithm} as node:crypto makes it, with keys and messages of any length`, () => {
    fc.assert(
      fc.property(text(150), text(1500), text(60), (secret, long, short) => {
        const hash = createKeyedHash(algorithm, secret);
        for (const field of [long, short, long]) {
          const expected = createHmac(algorithm, secret)
            .update(octetsOf(xInput([field])))
            .digest("hex");
          assert.equal(Buffer.from(hash(xInput([field]))).toString("hex"), expected);
        }
      }),
    );
  });

  test(`HMAC-${algorithm} is right at every length around the ends of blocks`, () => {
    const hash = createKeyedHash(algorithm, "key");
    for (let length = 0; length <= 200; length++) {
      const message = "m".repeat(length);
      const expected = createHmac(algorithm, "key").update(message).digest("hex");
      assert.equal(Buffer.from(hash(classicInput([message]))).toString("hex"), expected, String(length));
    }
  });
}

for (const algorithm of ["sha1", "sha256"] as const) {
  test(`a chain of 20,000 tags, each the message of the next, ends as that of node:crypto for HMAC-${algorithm}`, () => {
    const hash = createKeyedHash(algorithm, "key");
    let ours = "";
    let expected = "";
    for (let link = 0; link < 20_000; link++) {
      ours = Buffer.from(hash(xInput([ours]))).toString("hex");
      expected = createHmac(algorithm, "key")
        .update(octetsOf(xInput([expected])))
        .digest("hex");
    }
    assert.equal(ours, expected);
  });
}

test("a base64 prefix is the beginning of what Node writes, in both alphabets", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), fc.nat(27), (octets, length) => {
      for (const alphabet of ["base64", "base64url"] as const) {
        const expected = Buffer.from(octets).toString(alphabet).slice(0, length);
        assert.equal(base64Prefix(octets, length, alphabet), expected);
      }
    }),
  );
});

test("MAC input has every text behind its length, and no two lists of fields have the same", () => {
  const input = octetsOf(labelledInput("label")(["a", "", "é"]));
  assert.equal(input.toString("hex"), "00056c6162656c0001610000" + "0002c3a9");
  const fields = fc.array(text(30), { maxLength: 4 });
  fc.assert(
    fc.property(fields, fields, (one, two) => {
      const first = octetsOf(xInput(one)).toString("hex");
      const second = octetsOf(xInput(two)).toString("hex");
      assert.equal(first === second, JSON.stringify(one) === JSON.stringify(two));
    }),
  );
});

test("a length has two octets, the high one first", () => {
  for (const [length, octets] of [
    [255, "00ff"],
    [256, "0100"],
    [300, "012c"],
    [65_535, "ffff"],
  ] as const) {
    const input = octetsOf(xInput(["a".repeat(length)]));
    assert.equal(input.subarray(3, 5).toString("hex"), octets);
    assert.equal(input.length, 5 + length);
  }
});

test("classic input is folded in ASCII alone, with nothing between the fields", () => {
  assert.equal(octetsOf(classicInput(["G3", "Origin.Example", "JÖRG"])).toString(), "g3origin.examplejÖrg");
});

test("input longer than any address is not cut", () => {
  const long = "é".repeat(2000);
  assert.equal(octetsOf(classicInput([long])).toString(), long);
  assert.equal(xInput([long]).length, 3 + 2 + 4000);
});
