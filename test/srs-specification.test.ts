// The Python in docs/srs.md, run as it stands there, and our strong scheme make the same addresses.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { createRewriter, renderMailbox } from "../packages/srs-core/src/index.ts";
import { parseSrs } from "../packages/srs-core/src/srs-address.ts";
import { mailboxes, memoryStore } from "../packages/srs-core/src/testing/arbitraries.ts";

const document = readFileSync(join(import.meta.dirname, "../docs/srs.md"), "utf8");
const specified = document.match(/```python\n([\s\S]*?)```/)?.[1] ?? "";
const python = spawnSync("python3", ["--version"]).status === 0;
const skip = python ? false : "python3 is missing on this machine";

/** Answers each line of JSON, its strings in hexadecimal, with the local part that the document's functions make. */
const ANSWERS = `
import json, sys
for line in sys.stdin:
    q = {key: bytes.fromhex(value) if isinstance(value, str) else value for key, value in json.loads(line).items()}
    chosen = selector(q["secret"], q["alias"]) if "alias" in q else b""
    if "rest" in q:
        made = srs1(q["secret"], q["separator"], q["host"], q["rest"])
    else:
        domain, user = (b"1", token(q["secret"], q["sender"])) if "sender" in q else (q["domain"], q["user"])
        made = srs0(q["secret"], q["separator"], stamp(q["now"]), domain, user, chosen)
        tag, *rest = made[5:].split(b"=", 3)
        assert verify_srs0(q["secret"], tag.upper(), *rest) and not verify_srs0(b"other", tag, *rest)
    print(made.hex())
`;

test("the Python of docs/srs.md makes the addresses that forward makes", { skip }, () => {
  const cases = fc.sample(
    fc.record({
      secret: fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 }).filter((text) => text !== "other"),
      separator: fc.constantFrom("=" as const, "+" as const, "-" as const),
      sender: mailboxes,
      alias: fc.option(mailboxes, { nil: undefined }),
      now: fc.integer({ min: 0, max: 2 ** 34 }),
    }),
    { numRuns: 3000, seed: 3 },
  );
  const questions: object[] = [];
  const expected: string[] = [];
  for (const { secret, separator, sender, alias, now } of cases) {
    const rewriter = createRewriter({
      secrets: [secret],
      domain: "f.example",
      separator,
      store: memoryStore(),
    });
    const outcome = rewriter.forward(sender, now, { ...(alias && { alias }) });
    if (!outcome.ok || !outcome.rewritten) continue;
    const made = parseSrs(outcome.sender.localPart);
    assert.ok(made.kind === "srs0" || made.kind === "srs1");
    const texts: Record<string, string> = { secret, separator };
    if (made.kind === "srs1") Object.assign(texts, { host: made.host, rest: made.rest });
    else if (made.domain === "1") texts.sender = renderMailbox(sender);
    else Object.assign(texts, { domain: sender.domain, user: sender.localPart });
    if (alias && made.tag.length === 14) texts.alias = renderMailbox(alias);
    questions.push({ ...mapped(texts, hex), now });
    expected.push(hex(outcome.sender.localPart));
  }
  assert.ok(expected.length > 2000, `${expected.length} of ${cases.length} addresses`);
  const input = questions.map((question) => JSON.stringify(question)).join("\n");
  const program = specified.replace(/^if __name__[\s\S]*$/m, ANSWERS);
  const { stdout, stderr } = spawnSync("python3", ["-c", program], {
    input,
    encoding: "utf8",
    maxBuffer: 2 ** 26,
  });
  assert.equal(stderr, "");
  assert.deepEqual(stdout.trimEnd().split("\n"), expected);
});

test("the Python of docs/srs.md prints the document's test vector", { skip }, () => {
  const { stdout } = spawnSync("python3", ["-c", specified], { encoding: "utf8" });
  const [vector = ""] = document.match(/(?<=^result {3})SRS0=[^@]*/m) ?? [];
  assert.equal(stdout.trimEnd(), `b'${vector}'`);
});

function mapped(
  texts: Readonly<Record<string, string>>,
  change: (text: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(texts).map(([key, text]) => [key, change(text)]));
}

function hex(text: string): string {
  return Buffer.from(text, "utf8").toString("hex");
}
