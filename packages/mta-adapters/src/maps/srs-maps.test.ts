import assert from "node:assert/strict";
import { test } from "node:test";
import { createBounceGate, createGuessBudget, NOT_A_BOUNCE, TOO_MANY_GUESSES } from "@homing/bounce-handler";
import { renderReply } from "@homing/mail";
import { createRewriter, NULL_PATH, parseMailbox, renderMailbox, sameDomain } from "@homing/srs-core";
import type { MapAnswer } from "./map-answer.ts";
import { createOwnDomains } from "./own-domains.ts";
import type { RewritingOutcome, SenderRewriting } from "./sender-rewriting.ts";
import { createSrsMaps, type SrsMaps, type SrsMapsOptions } from "./srs-maps.ts";

const NOW = 1_700_000_000;
const DAY = 86_400;
const rewriter = createRewriter({
  secrets: ["a secret that both sides have"],
  domain: "srs.example",
  scheme: "classic",
  tagLength: 4,
});

interface Asking extends SrsMaps {
  /** What is there at once. */
  now(map: string, key: string): MapAnswer;
}

function maps(now: () => number = () => NOW, more: Partial<SrsMapsOptions> = {}): Asking {
  const gate = createBounceGate(
    (domain) => (sameDomain(domain, rewriter.domain) ? rewriter : undefined),
    createGuessBudget(() => {}),
  );
  const own = createOwnDomains(["home.example", ".customers.example", "srs.example"]);
  const made = createSrsMaps({ rewriter, gate, ownDomains: () => own, now, ...more });
  return { ...made, now: (map, key) => atOnce(made.lookUp(map, key)) };
}

function atOnce(answer: MapAnswer | Promise<MapAnswer>): MapAnswer {
  assert.ok(!(answer instanceof Promise));
  return answer;
}

function mailbox(text: string) {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok);
  return parsed.mailbox;
}

function forged(sender: string, at = NOW): string {
  const outcome = rewriter.forward(mailbox(sender), at);
  assert.ok(outcome.ok && outcome.rewritten);
  return renderMailbox(outcome.sender);
}

const GOOD = forged("bob@origin.example");
const BAD = GOOD.replace(/^SRS0=..../, "SRS0=AAAA");

const unchanged: readonly [map: string, key: string][] = [
  ["forward", ""],
  ["forward", "<>"],
  ["forward", '""'],
  ["forward", "bob"],
  ["forward", "ann@home.example"],
  ["forward", "ann@HOME.example"],
  ["forward", "ann@mail.customers.example"],
  ["forward", GOOD],
  ["forward", BAD],
  ["forward", "ann@home.example."],
  ["forward", `${BAD}.`],
  ["reverse", ""],
  ["reverse", "ann@srs.example"],
  ["reverse", "bob@origin.example"],
  ["reverse", BAD],
  ["reverse", GOOD.replace("@srs.example", "@elsewhere.example")],
  ["reject", ""],
  ["reject", "ann@srs.example"],
  ["reject", GOOD],
  ["reject", BAD.replace("@srs.example", "@elsewhere.example")],
];
for (const [map, key] of unchanged) {
  test(`${map} knows nothing of ${JSON.stringify(key.slice(0, 70))}`, () => {
    assert.equal(maps().now(map, key).kind, "not-found");
  });
}

for (const sender of [
  "@origin.example",
  "bob@a..b",
  "bob%origin.example",
  "origin.example!bob",
  "two words@origin.example",
  `${"a".repeat(60)}@${"b".repeat(60)}.example`,
  `${"a".repeat(300)}@origin.example`,
])
  test(`a sender who can never be rewritten is told from one who stays: ${sender.slice(0, 30)}`, () => {
    assert.equal(maps().now("forward", sender).kind, "unfit");
  });

const LONG = `${"v".repeat(65)}@origin.example`;

test("a sender who is kept is told when he is on the disk; where he is not, the mail waits", async () => {
  const rewritten: RewritingOutcome = { ok: true, rewritten: true, sender: mailbox(GOOD) };
  const notKept: RewritingOutcome = { ok: false, reason: "not-kept", message: "the disk is full" };
  const noRoom: RewritingOutcome = { ok: false, reason: "no-room", message: "there is no room" };
  for (const [outcome, answer] of [
    [rewritten, { kind: "found", value: GOOD }],
    [notKept, { kind: "later", why: "the disk is full" }],
    [noRoom, { kind: "later", why: "there is no room" }],
  ] as const) {
    const keeping: SenderRewriting = { forward: () => Promise.resolve(outcome) };
    const { lookUp } = maps(() => NOW, { rewriter: keeping });
    for (const key of ["forward", `forward-alias alice@home.example`]) {
      const [map = "", ...words] = key.split(" ");
      assert.deepEqual(await lookUp(map, [...words, LONG].join(" ")), answer);
    }
  }
});

test("one dot at the end of a domain is the root, and changes nothing", () => {
  const { now: lookUp } = maps();
  for (const [map, key] of [
    ["forward", "bob@origin.example"],
    ["reverse", GOOD],
    ["reject", BAD],
    ["reject-sender", BAD],
  ] as const) {
    const answer = lookUp(map, key);
    assert.equal(answer.kind, "found");
    assert.deepEqual(lookUp(map, `${key}.`), answer);
    assert.notDeepEqual(lookUp(map, `${key}..`), answer);
  }
});

test("at a domain that has SRS addresses alone, nobody else is there", () => {
  const isNobody = (recipient: string) =>
    recipient.endsWith("@srs.example") && recipient !== "postmaster@srs.example";
  const { now: lookUp } = maps(() => NOW, { isNobody });
  const boss = lookUp("reject-sender", "ceo@srs.example");
  assert.match(boss.kind === "found" ? boss.value : "", /^550 5\.7\.1 /);
  for (const recipient of ["ann@srs.example", "ann@srs.example.", "a..b@srs.example", `x@y@srs.example`])
    assert.deepEqual(lookUp("reject", recipient), { kind: "found", value: "550 5.1.1 no such address here" });
  for (const recipient of [GOOD, "postmaster@srs.example", "ann@home.example", "ann", ""])
    assert.equal(lookUp("reject", recipient).kind, "not-found", recipient);
});

test("a sender goes out as an SRS address, which comes back as the sender", () => {
  const { now: lookUp } = maps();
  assert.deepEqual(lookUp("forward", "bob@origin.example"), { kind: "found", value: GOOD });
  assert.deepEqual(lookUp("reverse", GOOD), { kind: "found", value: "bob@origin.example" });
  const quoted = lookUp("forward", '"two words"@origin.example');
  assert.ok(quoted.kind === "found");
  assert.deepEqual(lookUp("reverse", quoted.value), { kind: "found", value: '"two words"@origin.example' });
});

test("the SRS address of another forwarder goes out as SRS1", () => {
  const answer = maps().now("forward", "SRS0=abcd=Z5=origin.example=bob@first.example");
  assert.ok(answer.kind === "found");
  assert.match(answer.value, /^SRS1=[^=]{4}=first\.example==abcd=Z5=origin\.example=bob@srs\.example$/);
});

test("a forged and an expired recipient is to be refused, and is not unwrapped", () => {
  const later = maps(() => NOW + 40 * DAY);
  const refused = { kind: "found", value: renderReply(NOT_A_BOUNCE) };
  assert.deepEqual(maps().now("reject", BAD), refused);
  assert.deepEqual(later.now("reject", GOOD), refused);
  assert.equal(later.now("reverse", GOOD).kind, "not-found");
});

test("whoever guesses has to wait, and so does a real bounce meanwhile", () => {
  const { now: lookUp } = maps();
  const kinds = new Set<string>();
  for (let guess = 0; guess < 400; guess++) {
    const tag = guess.toString(36).padStart(4, "a");
    kinds.add(lookUp("reverse", GOOD.replace(/^SRS0=..../, `SRS0=${tag}`)).kind);
  }
  assert.deepEqual(kinds, new Set(["not-found", "later"]));
  assert.equal(lookUp("reverse", GOOD).kind, "later");
  assert.deepEqual(lookUp("reject", GOOD), { kind: "found", value: renderReply(TOO_MANY_GUESSES) });
  assert.equal(lookUp("forward", "bob@origin.example").kind, "found", "what goes out does not wait");
});

test("forward-alias has the alias before the sender, and goes without one that is no address", () => {
  const strong = createRewriter({ secrets: ["a secret that is long enough for all"], domain: "srs.example" });
  const gate = createBounceGate(
    () => strong,
    createGuessBudget(() => {}),
  );
  const own = createOwnDomains([]);
  const made = createSrsMaps({ rewriter: strong, gate, ownDomains: () => own, now: () => NOW });
  const lookUp = (map: string, key: string) => atOnce(made.lookUp(map, key));
  const alias = mailbox("alice@home.example");
  const named = strong.forward(mailbox("bob@origin.example"), NOW, { alias });
  assert.ok(named.ok && named.sender !== NULL_PATH);
  const value = renderMailbox(named.sender);
  assert.deepEqual(lookUp("forward-alias", "alice@home.example bob@origin.example"), {
    kind: "found",
    value,
  });
  const nameless = lookUp("forward", "bob@origin.example");
  assert.deepEqual(lookUp("forward-alias", "alice bob@origin.example"), nameless);
  assert.notDeepEqual(nameless, { kind: "found", value });
});

test("forward-alias reads an alias in quotes; what cannot be told apart is wrong, and is not rewritten", () => {
  const { now: lookUp } = maps();
  const rewritten = lookUp("forward", "bob@origin.example");
  for (const alias of ['"a b"@home.example', '"a\\" b"@home.example', "alice@home.example", "alice", ""])
    assert.deepEqual(lookUp("forward-alias", `${alias} bob@origin.example`), rewritten, alias);
  assert.equal(lookUp("forward-alias", "alice@home.example ").kind, "not-found", "the null sender");
  assert.equal(lookUp("forward-alias", "alice root").kind, "not-found");
  assert.deepEqual(
    lookUp("forward-alias", 'alice@home.example "two words"@origin.example'),
    lookUp("forward", '"two words"@origin.example'),
  );
  for (const key of [
    "",
    "bob@origin.example",
    "a b@home.example bob@origin.example",
    '"a b@home.example bob@origin.example',
    '"a b"',
  ])
    assert.equal(lookUp("forward-alias", key).kind, "wrong", key);
  assert.equal(lookUp("forward-alias", "alice@home.example bob%origin.example").kind, "unfit");
});

test("reject-sender refuses a sender at our SRS domain who was not made here, and nobody else", () => {
  const { now: lookUp } = maps();
  const refused = lookUp("reject-sender", GOOD.replace(/=[^=]+=/, "=AAAA="));
  assert.ok(refused.kind === "found");
  assert.match(refused.value, /^550 5\.7\.1 /);
  for (const sender of [
    GOOD,
    "bob@origin.example",
    "",
    "<>",
    '""',
    "no address",
    "SRS0=AAAA=AA=a.example=b@other.example",
  ])
    assert.equal(lookUp("reject-sender", sender).kind, "not-found", sender);
});

test("a map that is not there is told so", () => {
  assert.deepEqual(maps().now("fordward", "bob@origin.example"), {
    kind: "wrong",
    why: "there is no such map: ask for forward, forward-alias, reverse, reject or reject-sender",
  });
});
