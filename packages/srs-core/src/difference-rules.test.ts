// Where we differ on purpose: each row of the table in docs/srs.md, with its examples run.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMailbox, renderMailbox } from "./mailbox.ts";
import { renderReversePath } from "./reverse-path.ts";
import { createRewriter, type Rewriter } from "./rewriter.ts";
import type { Example } from "./testing/difference-rule.ts";
import { DIFFERENCE_RULES } from "./testing/difference-rules.ts";
import { assertDocumented, markdownTable } from "./testing/docs-tables.ts";
import { PEER_QUIRKS } from "./testing/peer-quirks.ts";

const NOW = 1_700_000_000;
const OPTIONS = { secrets: ["vector secret / public 1"], domain: "fwd1.example", scheme: "classic" } as const;
const rewriter = createRewriter(OPTIONS);

for (const { id, examples } of DIFFERENCE_RULES) {
  for (const example of examples) {
    const { op, input, answer } = example;
    test(`${id}: ${op} of ${JSON.stringify(input).slice(0, 60)} answers ${answer}`, () => {
      assert.equal(answered(rewriter, example), answer);
    });
  }
}

test("an own SRS address stays as it is though all senders are rewritten", () => {
  const always = createRewriter({ ...OPTIONS, alwaysRewrite: true });
  const own = "SRS0=64Ym=G3=y.z=x@fwd1.example";
  assert.equal(answered(always, { op: "forward", input: own, answer: own }), own);
});

test("an empty secret, and an address as the SRS domain, are refused when the rewriter is made", () => {
  assert.throws(() => createRewriter({ ...OPTIONS, secrets: [""] }), /secrets: .*none may be empty/);
  assert.throws(
    () => createRewriter({ ...OPTIONS, domain: "a@fwd1.example" }),
    /domain: .*not a domain name/,
  );
});

test("docs/srs.md has the table of our rules", () => {
  const rows = DIFFERENCE_RULES.map(({ id, examples, theirs, ours, why }) => {
    return [`\`${id}\``, examples.map(shown).join("<br>"), theirs, ours, why];
  });
  assertDocumented("rules", markdownTable(["Rule", "Example", "What others do", "What we do", "Why"], rows));
});

test("docs/srs.md has the table of other programs' quirks", () => {
  const rows = PEER_QUIRKS.map(({ id, theirs }) => [`\`${id}\``, theirs]);
  assertDocumented("quirks", markdownTable(["Quirk", "What the program does"], rows));
});

function answered(by: Rewriter, { op, input }: Example): string {
  const parsed = parseMailbox(input);
  if (!parsed.ok) return parsed.reason;
  const outcome = op === "forward" ? by.forward(parsed.mailbox, NOW) : by.reverse(parsed.mailbox, NOW);
  if (!outcome.ok) return outcome.reason;
  return "sender" in outcome ? renderReversePath(outcome.sender) : renderMailbox(outcome.address);
}

function shown({ op, input, answer }: Example): string {
  const text = input.replace(/l{20,}/, (run) => `l…(${run.length})…l`);
  const visible = JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replace(/ $/, "␠");
  return `${op} \`${visible}\` → \`${answer}\``;
}
