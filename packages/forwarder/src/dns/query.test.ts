import assert from "node:assert/strict";
import { test } from "node:test";
import { isPlainName, queryName } from "./query.ts";

const label = (octets: number): string => "x".repeat(octets);
const longest = [label(63), label(63), label(63), label(61)].join(".");

const names: [what: string, text: string, name: string | undefined][] = [
  ["a name", "a.example", "a.example"],
  ["capitals", "A.Example", "a.example"],
  ["the root's dot", "a.example.", "a.example"],
  ["an underscore", "_dmarc.a.example", "_dmarc.a.example"],
  ["a wildcard", "*.a.example", "*.a.example"],
  ["plus, equals and blank", "SRS0+ab=cd e.example", "srs0+ab=cd e.example"],
  ["a label of 63", `${label(63)}.example`, `${label(63)}.example`],
  ["a label of 64", `${label(64)}.example`, undefined],
  ["253 octets", longest, longest],
  ["253 octets and the root's dot", `${longest}.`, longest],
  ["254 octets", `x${longest}`, undefined],
  ["nothing", "", undefined],
  ["the root", ".", undefined],
  ["an empty label", "a..example", undefined],
  ["two dots at the end", "a.example..", undefined],
  ["a dot in front", ".a.example", undefined],
  ["NUL", "a\0.example", undefined],
  ["a line feed", "a\n.example", undefined],
  ["a U-label", "bücher.example", undefined],
];
for (const [what, text, name] of names) {
  test(`${what}: ${name === undefined ? "no name of DNS" : "a name"}`, () => {
    assert.equal(queryName(text), name);
  });
}

test("c-ares asks for letters, digits and - _ . * / alone", () => {
  const asked = Array.from({ length: 95 }, (_, at) => String.fromCharCode(32 + at)).filter(
    (char) => char === char.toLowerCase() && isPlainName(`a${char}b`),
  );
  assert.equal(asked.join(""), "*-./0123456789_abcdefghijklmnopqrstuvwxyz");
});
