import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
import {
  createRewriter,
  type Mailbox,
  parseMailbox,
  type RewriterOptions,
  renderMailbox,
} from "@homing/srs-core";
import fc from "fast-check";
import { drawBoxes } from "./boxes.ts";
import { type InspectOptions, inspectAddress } from "./inspect.ts";
import type { Hop, Inspection } from "./inspection.ts";

const NOW = 1_700_000_000; // 2023-11-14, stamp G3
const DAY = 86_400;
const FIRST: RewriterOptions = { secrets: ["new at first", "old at first"], domain: "first.example" };
const SECOND: RewriterOptions = { secrets: ["of the second"], domain: "second.example", scheme: "classic" };
const ALL = ["strong", "classic", "exim"] as const;

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

function forged(by: RewriterOptions, sender: string, alias?: string): string {
  const context = alias === undefined ? {} : { alias: mailbox(alias) };
  const outcome = createRewriter(by).forward(mailbox(sender), NOW, context);
  assert.ok(outcome.ok && outcome.rewritten);
  return renderMailbox(outcome.sender);
}

function inspected(address: string, by?: RewriterOptions, more: Partial<InspectOptions> = {}): Inspection {
  const rewriter = by && createRewriter({ ...by, accept: ALL });
  const outcome = inspectAddress(mailbox(address), { rewriter, maxAgeDays: 21, now: NOW, ...more });
  assert.ok(outcome.ok, address);
  return outcome.inspection;
}

function hop(inspection: Inspection, index = 0): Exclude<Hop, { kind: "malformed" }> {
  const found = inspection.hops[index];
  assert.ok(found && found.kind !== "malformed");
  return found;
}

test("a tag is ok under the secret that made it, also an older one, and told by its line", () => {
  const address = forged({ ...FIRST, secrets: ["old at first"] }, "bob@origin.example");
  const inspection = inspected(address, FIRST, { secretLines: [2, 5] });
  const { tag, bounce } = hop(inspection);
  const text = address.split("=")[1];
  assert.deepEqual(tag, { text, verdict: "ok", scheme: "strong", secretIndex: 1, secretLine: 5 });
  assert.deepEqual(bounce, { answer: "accepted", to: "bob@origin.example" });
  assert.equal(inspection.sender, "bob@origin.example");
});

test("without secrets the tag is not verified, and everything else is there", () => {
  const address = forged(FIRST, "bob@origin.example");
  const { tag, bounce, ...rest } = hop(inspected(address));
  assert.deepEqual(tag, { text: address.split("=")[1], verdict: "unverifiable", why: "no-secret" });
  assert.deepEqual(bounce, { answer: "unknown", to: "bob@origin.example" });
  assert.deepEqual(rest, {
    kind: "srs0",
    address,
    forwarder: "first.example",
    localPart: { octets: 35, limit: 64 },
    separator: "=",
    stamp: { text: "G3", date: "2023-11-14", before: "2021-01-24", ageDays: 0, daysLeft: 21, state: "good" },
    domain: "origin.example",
    user: "bob",
    kept: false,
  });
});

test("a changed address has a wrong tag, and its bounce would be refused for that", () => {
  const { tag, bounce } = hop(inspected(forged(FIRST, "bob@origin.example").replace("=bob", "=eve"), FIRST));
  assert.equal(tag.verdict, "wrong");
  assert.deepEqual(bounce, { answer: "refused", reason: "bad-tag" });
});

test("of two forwarders, each one's secrets verify its own tag; the other's is not called wrong", () => {
  const address = forged(SECOND, forged(FIRST, "bob@origin.example"));
  for (const [by, verdicts] of [
    [SECOND, ["ok", "unverifiable"]],
    [FIRST, ["unverifiable", "ok"]],
    [{ ...SECOND, secrets: ["somebody else's"] }, ["wrong", "unverifiable"]],
  ] as const) {
    const inspection = inspected(address, by);
    assert.deepEqual([hop(inspection).tag.verdict, hop(inspection, 1).tag.verdict], verdicts);
    assert.equal(inspection.sender, "bob@origin.example");
  }
  const named = inspected(address, FIRST, { ownDomains: ["Second.Example"] });
  assert.equal(hop(named).tag.verdict, "wrong", "who says whose the secrets are is believed");
});

test("an old address has a good tag, and would be refused for its date; days are told to the last", () => {
  const address = forged(FIRST, "bob@origin.example");
  for (const [days, state, answer] of [
    [21, "good", { answer: "accepted", to: "bob@origin.example" }],
    [22, "expired", { answer: "refused", reason: "expired" }],
    [-1, "future", { answer: "refused", reason: "future" }],
    [1024, "good", { answer: "accepted", to: "bob@origin.example" }],
  ] as const) {
    const found = hop(inspected(address, FIRST, { now: NOW + days * DAY }));
    assert.ok(found.kind === "srs0");
    assert.equal(found.tag.verdict, "ok");
    assert.equal(found.stamp.state, state);
    assert.equal(found.stamp.daysLeft, 21 - (days % 1024));
    assert.deepEqual(found.bounce, answer);
  }
});

test("an alias selector is told, and what looks like one where nothing is verified", () => {
  const address = forged(FIRST, "bob@origin.example", "alice@first.example");
  const [selector] = createRewriter(FIRST).selectorsOf(mailbox("alice@first.example"));
  for (const inspection of [inspected(address, FIRST), inspected(address)]) {
    const { tag } = hop(inspection);
    assert.ok(tag.verdict !== "wrong");
    assert.equal(tag.selector, selector);
  }
});

test("a kept sender is a token: who signed it is told, and nobody but the forwarder's database knows whose it is", () => {
  const store = { keep: () => true, find: () => undefined };
  const by: RewriterOptions = { ...FIRST, secrets: ["old at first"], store };
  const address = forged(by, `${"l".repeat(60)}@origin.example`, "alice@first.example");
  const found = inspected(address, FIRST, { secretLines: [2, 5] });
  const { bounce, ...rest } = hop(found);
  assert.ok(rest.kind === "srs0" && rest.kept);
  const [, selector] = createRewriter(FIRST).selectorsOf(mailbox("alice@first.example"));
  assert.deepEqual(rest.tag, {
    text: address.split("=")[1],
    verdict: "ok",
    scheme: "strong",
    secretIndex: 1,
    secretLine: 5,
    selector,
  });
  assert.match(
    stripVTControlCharacters(drawBoxes(found).join("\n")),
    /tag .*ok: strong, secret on line 5 \(number 2\)\n/,
  );
  assert.deepEqual(bounce, { answer: "accepted", to: null });
  assert.equal(found.sender, null);
});

test("Exim's own form is recognized, with its shorter life", () => {
  const by = { secrets: ["vector secret / public 1"], domain: "fwd1.example" };
  const found = hop(inspected("SRS0=ba93=g3=y.z=x@fwd1.example", by, { now: NOW + 11 * DAY }));
  assert.ok(found.kind === "srs0" && found.tag.verdict === "ok");
  assert.equal(found.tag.scheme, "exim");
  assert.equal(found.stamp.daysLeft, -1);
  assert.deepEqual(found.bounce, { answer: "refused", reason: "expired" });
});

for (const [maxAgeDays, daysLeft] of [
  [5, 1],
  [9, 5],
  [10, 6],
  [11, 6],
  [21, 6],
] as const) {
  test(`of Exim's ten days and the ${maxAgeDays} of --max-age-days the fewer count`, () => {
    const by = { secrets: ["vector secret / public 1"], domain: "fwd1.example" };
    const found = hop(inspected("SRS0=ba93=g3=y.z=x@fwd1.example", by, { now: NOW + 4 * DAY, maxAgeDays }));
    assert.ok(found.kind === "srs0");
    assert.deepEqual(found.tag, { text: "ba93", verdict: "ok", scheme: "exim", secretIndex: 0 });
    assert.equal(found.stamp.daysLeft, daysLeft);
  });
}

test("what the secret signed and is no address has a good tag, and its bounce would be refused", () => {
  const by = { secrets: ["vector secret / public 1"], domain: "fwd1.example" };
  // Made by Mail::SRS.
  const found = hop(inspected("SRS0=cq56=G3=example.com.=u@fwd1.example", by));
  assert.deepEqual(found.tag, { text: "cq56", verdict: "ok", scheme: "classic", secretIndex: 0 });
  assert.deepEqual(found.bounce, { answer: "refused", reason: "malformed" });
});

test("what is inside and cannot be read is a hop of its own, and ends the chain", () => {
  const found = inspected(forged(SECOND, "SRS0=x@first.example"), SECOND);
  assert.deepEqual(
    found.hops.map(({ kind }) => kind),
    ["srs1", "malformed"],
  );
  assert.deepEqual(found.hops[1]?.bounce, { answer: "refused", reason: "malformed" });
  assert.equal(found.sender, null);
});

test("signed, and its host is no domain: the bounce would be refused all the same", () => {
  const found = hop(inspected("SRS0=abcd=G3=a..b=bob@first.example"));
  assert.deepEqual(found.bounce, { answer: "refused", reason: "malformed" });
});

test("no SRS address, and one that is malformed, are said to be so", () => {
  const options = { rewriter: undefined, maxAgeDays: 21, now: NOW };
  const plain = inspectAddress(mailbox("bob@origin.example"), options);
  assert.ok(!plain.ok && plain.reason === "not-srs");
  const malformed = inspectAddress(mailbox("SRS0=x@first.example"), options);
  assert.ok(!malformed.ok && malformed.reason === "malformed");
  assert.match(malformed.message, /a tag, a stamp, a domain and a user/);
});

test("whatever is in an address, it is explained and drawn, as long as it is", () => {
  const rewriter = createRewriter({ ...FIRST, accept: ALL });
  const local = fc.tuple(
    fc.constantFrom("SRS0=", "srs1+", "SRS1-a=b=-", "SRS0=a=AA=b="),
    fc.string({ unit: "binary", maxLength: 200 }),
  );
  fc.assert(
    fc.property(local, fc.boolean(), fc.nat(4e9), ([start, rest], verified, now) => {
      const address = { localPart: start + rest, domain: "first.example" };
      const outcome = inspectAddress(address, {
        rewriter: verified ? rewriter : undefined,
        maxAgeDays: 21,
        now,
      });
      if (outcome.ok) assert.ok(drawBoxes(outcome.inspection).length > 5);
    }),
  );
});
