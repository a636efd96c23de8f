import assert from "node:assert/strict";
import { test } from "node:test";
import { findAddress, headAddress } from "./addresses.ts";

const found: readonly [text: string, address: string | undefined, head: boolean][] = [
  ["bob@example.org", "bob@example.org", true],
  ["<bob@example.org>: no", "bob@example.org", true],
  ["  * bob@example.org", "bob@example.org", true],
  ['"bob b"@example.org said', '"bob b"@example.org', true],
  ["SRS0=ab/+=J1=a.example=bob@example.org.", "SRS0=ab/+=J1=a.example=bob@example.org", true],
  ["bob@[192.0.2.1]", "bob@[192.0.2.1]", true],
  ["bob@[192.0.2.1", undefined, false],
  ["to 'bob@example.org', who", "bob@example.org", false],
  ["[SMTP:bob@example.org]", "bob@example.org", false],
  ["c=US;dda:SMTP=bob@example.org; on", "bob@example.org", false],
  ["RCPT TO:<bob@example.org>", "bob@example.org", false],
  ["a @ b.example and bob@example.org", "bob@example.org", false],
  ["j\xc3\xb6rg@b\xc3\xbccher.example", "j\xc3\xb6rg@b\xc3\xbccher.example", true],
  ["bob@localhost", "bob@localhost", true],
  ["bob@nowhere", undefined, false],
  ["@example.org", undefined, false],
  ["bob@", undefined, false],
  ["bob@.", undefined, false],
  ["", undefined, false],
];
for (const [text, address, isHead] of found) {
  test(`the address in ${JSON.stringify(text)} is ${address}${isHead ? ", at its head" : ""}`, () => {
    assert.equal(findAddress(text)?.address, address);
    assert.equal(headAddress(text)?.address, isHead ? address : undefined);
  });
}

test("brackets that never close are looked for near each at sign, and no further", () => {
  const text = "a@[".repeat(600_000);
  const begun = performance.now();
  assert.equal(findAddress(text), undefined);
  // To the end of the text from each of them: 540 thousand million characters.
  assert.ok(performance.now() - begun < 1000);
});
