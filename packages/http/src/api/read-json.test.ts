import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readJson } from "./read-json.ts";

const read = (text: string) => readJson(Buffer.from(text));

test("a property: JSON that another writer wrote is read as JSON.parse reads it", () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(0, 2), (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      assert.deepEqual(read(text), { ok: true, value: JSON.parse(text) });
    }),
  );
});

test("a property: whatever the octets, there is an answer, and no exception", () => {
  const pieces = fc.string({ unit: fc.constantFrom(...'{}[],:"\\u0ae1 \n'), maxLength: 60 });
  fc.assert(fc.property(pieces, (text) => assert.equal(typeof read(text).ok, "boolean")));
  fc.assert(fc.property(fc.uint8Array(), (octets) => assert.equal(typeof readJson(octets).ok, "boolean")));
});

const refused: [what: string, text: string, detail: RegExp, field?: string][] = [
  ["a member twice", '{"to":"a","to":"b"}', /twice/, "to"],
  ["a member twice, once with an escape", '{"to":"a","\\u0074o":"b"}', /twice/, "to"],
  ["a member twice inside", '{"a":[{"x":1},{"y":1,"z":{"q":1,"q":2}}]}', /twice/, "q"],
  ["__proto__ twice", '{"__proto__":1,"__proto__":2}', /twice/, "__proto__"],
  ["nothing", "", /not JSON/],
  ["half of it", '{"to":', /not JSON/],
  ["a string that does not end", '{"to', /not JSON/],
  ["a string that ends in a backslash", '{"to\\', /not JSON/],
  ["something behind it", "{} x", /not JSON/],
  ["a comma too many", '{"a":1,}', /not JSON/],
  ["JavaScript", "{to:'a'}", /not JSON/],
];
for (const [what, text, detail, field] of refused) {
  test(`${what} is refused`, () => {
    const result = read(text);
    assert.ok(!result.ok);
    assert.match(result.fault.detail, detail);
    assert.equal(result.fault.field, field);
  });
}

test("the same name in two objects, and as a value, is no member twice", () => {
  assert.ok(read('{"a":{"to":"to"},"b":[{"to":1},{"to":"to"},"to","to"],"to":"to"}').ok);
});

test("octets that are not UTF-8 are refused, and not replaced", () => {
  const result = readJson(Buffer.from([0x22, 0xff, 0x22]));
  assert.ok(!result.ok && /not UTF-8/.test(result.fault.detail));
});

test("half a megabyte of brackets is refused before anything is built of it", () => {
  for (const deep of ["[".repeat(500_000), '{"a":'.repeat(100_000)]) {
    const result = read(deep);
    assert.ok(!result.ok && /too deep/.test(result.fault.detail));
  }
});

test("time grows with the length, whatever half a megabyte is made of", () => {
  for (const unit of ['"', "\\", '\\"', '{"', ",", '","', '"a":1,']) {
    const since = performance.now();
    read(`{${unit.repeat(500_000 / unit.length)}`);
    assert.ok(performance.now() - since < 1000, unit);
  }
});
