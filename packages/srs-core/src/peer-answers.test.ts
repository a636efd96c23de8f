// Every observed answer of ten other programs (testdata/README.md) beside ours, and the table of it in docs/srs.md.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, ourReverse, sameAnswer } from "./testing/answers.ts";
import { allComparisons, type Comparison } from "./testing/comparisons.ts";
import { DIFFERENCE_RULES, type Sorted, sorted } from "./testing/difference-rules.ts";
import { assertDocumented, markdownTable } from "./testing/docs-tables.ts";
import { PEER_QUIRKS } from "./testing/peer-quirks.ts";
import { ownSchemeVerdicts } from "./testing/vectors.ts";

/** Differences that only the random addresses of test/differential show. */
const NOT_OBSERVED = ["control-characters", "equals-in-domain", "kept-label", "empty-rest"];

const comparisons = allComparisons();
const results = comparisons.map((comparison) => ({ comparison, result: sorted(comparison) }));

test("no observed answer of any peer differs from ours without a rule that says why", () => {
  const unexplained = results
    .filter(({ result }) => result.kind === "differ")
    .map(({ comparison }) => line(comparison));
  assert.ok(comparisons.length > 12_000);
  assert.deepEqual(unexplained, []);
});

test("with Mail::SRS no dot-atom address differs, but for length and for the base64url that we also read", () => {
  const plain =
    /^[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.?)+$/i;
  const ids = new Set<string>();
  for (const { comparison, result } of results) {
    if (comparison.peer === "mail-srs-0.31" && plain.test(comparison.input) && "id" in result)
      ids.add(result.id);
  }
  assert.deepEqual([...ids].sort(), [
    "base64url-read",
    "domain-not-address",
    "empty-field",
    "empty-secret",
    "malformed-srs1",
    "not-a-domain",
    "odd-dots",
    "own-srs",
    "srs1-rest",
    "stamp-form",
    "too-long",
  ]);
});

test("an address of a scheme that is not accepted is refused, though the secret is the same", () => {
  const accept = ["strong", "classic"] as const;
  for (const { peer, secrets, input, now } of ownSchemeVerdicts()) {
    const answer = ourReverse({ secrets, domain: "fwd1.example", accept, tagLength: 4 }, input, now);
    assert.ok("refused" in answer, `${peer}: ${input}`);
  }
});

test("every rule explains something that was observed", () => {
  const used = new Set(results.map(({ result }) => ("id" in result ? result.id : "")));
  const all = [...DIFFERENCE_RULES, ...PEER_QUIRKS].map((rule) => rule.id);
  assert.deepEqual(
    all.filter((id) => !used.has(id)),
    NOT_OBSERVED,
  );
  assert.equal(new Set(all).size, all.length);
});

test("no rule explains an agreement, nor what would be a mistake of ours", () => {
  const mistakes: Answer[] = [
    { refused: "bad-tag" },
    { refused: "malformed" },
    { refused: "expired" },
    { refused: "not-srs" },
    { address: "somebody.else@example.org" },
  ];
  for (const { comparison, result } of results.filter((one) => one.result.kind === "agree")) {
    for (const rule of [...DIFFERENCE_RULES, ...PEER_QUIRKS]) {
      assert.ok(
        !rule.explains?.(comparison),
        `${rule.id} explains ${line(comparison)}, where ${result.kind}`,
      );
    }
    for (const ours of mistakes) {
      const mistaken = { ...comparison, ours };
      if (sameAnswer(ours, comparison.theirs)) continue;
      assert.deepEqual(sorted(mistaken), { kind: "differ" }, line(mistaken));
    }
  }
});

test("docs/srs.md has the table of all observed answers", (t) => {
  const table = tableOf(results);
  t.diagnostic(`\n${table}`);
  assertDocumented("peer-answers", table);
});

function tableOf(all: readonly { comparison: Comparison; result: Sorted }[]): string {
  const rows = Map.groupBy(
    all,
    ({ comparison }) => `${comparison.file} ${comparison.peer} ${operation(comparison)}`,
  );
  const cells = [...rows].map(([key, group]) => {
    const of = (kind: Sorted["kind"]) =>
      group.map(({ result }) => result).filter((result) => result.kind === kind);
    return [
      ...key.split(" "),
      String(of("agree").length),
      counts(of("rule")),
      counts(of("quirk")),
      String(of("differ").length),
    ];
  });
  cells.sort((one, other) => (one.slice(0, 3).join(" ") < other.slice(0, 3).join(" ") ? -1 : 1));
  return markdownTable(
    ["File", "Peer", "Compared", "Agree", "Stricter or other by rule", "By the peer's own quirk", "Differ"],
    cells,
  );
}

/** Both directions of a shared scheme are one row; an own scheme has one for each thing that can be asked of it. */
function operation({ op, peer }: Comparison): string {
  if (op === "wrap") return "wrapped";
  return peer.startsWith("exim") ? "read" : "all";
}

function counts(group: readonly Sorted[]): string {
  const byId = Map.groupBy(group, (result) => ("id" in result ? result.id : ""));
  return [...byId]
    .map(([id, all]) => `${id} ${all.length}`)
    .sort()
    .join(", ");
}

function line({ peer, op, input, ours, theirs }: Comparison): string {
  return `${peer} ${op} ${JSON.stringify(input)}: ours ${JSON.stringify(ours)}, theirs ${JSON.stringify(theirs)}`;
}
