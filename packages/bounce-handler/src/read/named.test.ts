import assert from "node:assert/strict";
import { test } from "node:test";
import { namingWords } from "./named.ts";

const cases: [text: string, words: string[]][] = [
  ["this is the mail system at host mx.home.example.", ["mx.home.example."]],
  ["<bob@home.example> (expanded from <carol@x>): unknown", ["<bob@home.example>", "<carol@x>):"]],
  [
    "user%40home =?utf-8?Q?bob?= j\\x{F6}rg &#98;ob 192.0.2.1",
    ["user%40home", "=?utf-8?Q?bob?=", "j\\x{F6}rg", "&#98;ob", "192.0.2.1"],
  ],
  ["100 % full. Sorry... a=b c:d mailhub", []],
  ["m\xc3\xbcller.example m\xc3\xbcller.example", ["müller.example"]],
];
for (const [text, words] of cases) {
  test(`of ${JSON.stringify(text)} ${words.length} words may name somebody`, () =>
    assert.deepEqual(namingWords([text]), words));
}

test("each word is told once, of whatever text", () =>
  assert.deepEqual(namingWords(["a@b c.d", "c.d e.f"]), ["a@b", "c.d", "e.f"]));

test("more words than any mail system writes, or longer ones: none is told", () => {
  const words = Array.from({ length: 1001 }, (_, at) => `${at}@x`);
  assert.equal(namingWords([words.join("\n")]), "too-many");
  assert.equal(namingWords([words.slice(1).join("\n")]).length, 1000);
  assert.equal(namingWords([`a.${"b".repeat(2048)}`]), "too-many");
  const long = Array.from({ length: 20 }, (_, at) => `${at}.${"b".repeat(1000)}`);
  assert.equal(namingWords([long.join("\n")]), "too-many");
  assert.equal(namingWords([Array(20).fill(long[0]).join("\n")]).length, 1, "each counts once");
});
