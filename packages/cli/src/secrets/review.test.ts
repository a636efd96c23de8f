import assert from "node:assert/strict";
import { test } from "node:test";
import type { SecretsFile } from "../config/secrets-file.ts";
import { reviewSecrets } from "./review.ts";

const A = "kQ7vRzX2mT9bLw4HnEo8uJpD5sYc1fAg";
const B = "9bLw4HnEo8uJpD5sYc1fAgkQ7vRzX2mT";
const C = "EE8uJpD5sYc1fAgkQ7vRzX2mT9bLw4Hn";

function file(text: string): SecretsFile {
  const lines = text.split("\n").map((line, index) => ({ line, number: index + 1 }));
  const found = lines.filter(({ line }) => line !== "" && !line.startsWith("#"));
  return {
    secrets: found.map(({ line }) => line),
    lines: found.map(({ number }) => number),
    weakLines: [],
    text,
    owner: { mode: 0o600, uid: 0, gid: 0 },
  };
}

const OPTIONS = { today: "2026-11-21", weakAllowed: false };
const cases: [what: string, text: string, findings: [line: number | undefined, finding: string][]][] = [
  ["one good secret", A, []],
  ["two of them", `${A}\n${B}`, []],
  [
    "an old one that may go today",
    `${A}\n# replaced 2026-10-26: may go from 2026-11-21\n${B}`,
    [[3, "may-go"]],
  ],
  ["an old one that may go tomorrow", `${A}\n# replaced 2026-10-27: may go from 2026-11-22\n${B}`, []],
  ["the same secret twice", `${A}\n${A}`, [[2, "duplicate"]]],
  ["three that verify", `${A}\n${B}\n${C}`, [[undefined, "too-many"]]],
  ["a short one", "password", [[1, "weak"]]],
  ["a long one of one letter", "a".repeat(40), [[1, "repetitive"]]],
  ["22 hexadecimal digits: 88 bits", "0123456789abcdef012345", [[1, "few-bits"]]],
  ["32 hexadecimal digits: 128 bits", "0123456789abcdef0123456789abcdef", []],
];
for (const [what, text, findings] of cases) {
  test(`a secrets file with ${what}`, () => {
    const review = reviewSecrets(file(text), OPTIONS);
    assert.deepEqual(
      review.findings.map(({ line, finding }) => [line, finding]),
      findings,
    );
    for (const { message } of review.findings) {
      for (const secret of file(text).secrets)
        assert.ok(!message.includes(secret), "no message shows a secret");
    }
  });
}

test("the first secret signs, whatever a comment says about it", () => {
  const { secrets } = reviewSecrets(file(`# may go from 2020-01-01\n${A}\n${B}`), OPTIONS);
  assert.deepEqual(secrets, [
    { line: 2, characters: 32, bits: 192, state: "signs" },
    { line: 3, characters: 32, bits: 192, state: "verifies" },
  ]);
});

test("a weak secret is refused, unless weak ones are taken", () => {
  const refused = (weakAllowed: boolean): boolean | undefined =>
    reviewSecrets(file("password"), { ...OPTIONS, weakAllowed }).findings[0]?.refused;
  assert.equal(refused(false), true);
  assert.equal(refused(true), false);
});
