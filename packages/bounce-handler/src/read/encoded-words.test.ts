import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeWords } from "./encoded-words.ts";

const table: readonly [value: string, text: string][] = [
  ["plain", "plain"],
  ["=?utf-8?Q?R=C3=A9ponse_automatique?=", "[utf-8:R\xc3\xa9ponse automatique]"],
  ["a =?ISO-8859-1?q?=e9?= b", "a [iso-8859-1:\xe9] b"],
  ["=?UTF-8*en?B?YWI=?=", "[utf-8*en:ab]"],
  ["=?utf-8?Q?a?= \r\n\t=?utf-8?Q?b?= c", "[utf-8:a][utf-8:b] c"],
  ["=?utf-8?Q?two words?=", "[utf-8:two words]"],
  ["=?utf-8?Q?=zz=4?=", "[utf-8:=zz=4]"],
  ["=?utf-8?X?a?=", "=?utf-8?X?a?="],
  ["=?utf-8?Q?a", "=?utf-8?Q?a"],
  ["=?=?utf-8?Q?a?=", "=?[utf-8:a]"],
];
for (const [value, text] of table) {
  test(`${JSON.stringify(value)} is read as ${JSON.stringify(text)}`, () => {
    assert.equal(
      decodeWords(value, (octets, charset) => `[${charset}:${octets}]`),
      text,
    );
  });
}
