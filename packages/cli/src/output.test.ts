import assert from "node:assert/strict";
import { test } from "node:test";
import { renderDocument } from "./output.ts";

test("no control and no direction of a text gets out as itself, and what it says is kept", () => {
  const codes = [
    ...Array.from({ length: 0x20 }, (_, code) => code),
    ...Array.from({ length: 0x21 }, (_, code) => 0x7f + code),
    ...[0x61c, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069],
  ];
  for (const code of codes) {
    const document = { words: `a${String.fromCharCode(code)}31m` };
    const line = renderDocument(document);
    assert.match(line, /^[\x20-\x7e]+$/, code.toString(16));
    assert.deepEqual(JSON.parse(line), document);
  }
});

test("every other character stands as it is", () => {
  assert.equal(
    renderDocument({ words: 'jörg "\u{1f4a9}" 不在\u00a0' }),
    '{"words":"jörg \\"\u{1f4a9}\\" 不在\u00a0"}',
  );
});
