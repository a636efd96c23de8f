import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { checkName } from "./check-name.ts";

for (const name of [
  "",
  "Alice",
  "Alice O'Neill, M.D.",
  "Łukasz Żółć",
  "山田太郎",
  'Alice "Al" Smith',
  "שרה כהן",
  "Zoë 👩‍💻",
  "a".repeat(64),
  "😀".repeat(64),
]) {
  test(`${JSON.stringify(name)} is a name`, () => assert.equal(checkName(name, "name"), undefined));
}

for (const [what, name, why] of [
  ["CR LF", "Alice\r\nBcc: all@example.org", "name holds a control character or a line break"],
  ["LF alone", "Alice\nx", "name holds a control character or a line break"],
  ["NUL", "Alice\0", "name holds a control character or a line break"],
  ["a tab", "Alice\tB", "name holds a control character or a line break"],
  ["NEL, a C1 control", "Alice\u0085B", "name holds a control character or a line break"],
  ["a line separator", "Alice\u2028B", "name holds a control character or a line break"],
  ["what a decoder leaves of no UTF-8", "Alice\ufffd", "name holds a control character or a line break"],
  [
    "an override of direction",
    "Alice \u202eknab",
    "name holds a character that turns the direction of writing",
  ],
  ["an isolate", "Alice \u2066x", "name holds a character that turns the direction of writing"],
  ["an address", "ceo@bank.example", "name holds an @, as addresses do"],
  ["a wide @", "ceo＠bank.example", "name holds an @, as addresses do"],
  ["an encoded word", "=?utf-8?q?ceo=40bank.example?=", "name holds an encoded word (=?)"],
  ["half a character", "Alice \ud83d", "name is no Unicode text"],
  ["65 characters", "a".repeat(65), "name has more than 64 characters"],
  ["65 characters of two units", "😀".repeat(65), "name has more than 64 characters"],
  ["a megabyte", "a".repeat(1024 * 1024), "name has more than 64 characters"],
] as const) {
  test(`a name with ${what} is refused`, () => {
    assert.deepEqual(checkName(name, "name")?.problem, {
      type: "invalid-field",
      detail: why,
      field: "name",
      hint: "give a name as people write it, or none",
    });
  });
}

test("no name with a character that ends a header line is let through, wherever it stands", () => {
  const around = fc.string({ unit: "binary", maxLength: 20 });
  fc.assert(
    fc.property(around, fc.constantFrom("\r", "\n", "\0", "\x0b", "\x85", "\u2029"), around, (a, bad, b) => {
      assert.ok(checkName(a + bad + b, "name"));
    }),
  );
});
