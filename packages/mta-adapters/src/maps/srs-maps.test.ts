import assert from "node:assert/strict";
import { test } from "node:test";
import { createBounceGate, createGuessBudget, NOT_A_BOUNCE, TOO_MANY_GUESSES } from "@homing/bounce-handler";
import { renderReply } from "@homing/mail";
import { createRewriter, NULL_PATH, parseMailbox, renderMailbox, sameDomain } from "@homing/srs-core";
import { createOwnDomains } from "./own-domains.ts";
import { createSrsMaps, type SrsMaps } from "./srs-maps.ts";

const NOW = 1_700_000_000;
const DAY = 86_400;
const rewriter = createRewriter({
  secrets: ["a secret that both sides have"],
  domain: "srs.example",
  scheme: "classic",
  tagLength: 4,
});

function maps(now: () => number = () => NOW): SrsMaps {
  const gate = createBounceGate(
    (domain) => (sameDomain(domain, rewriter.domain) ? rewriter : undefined),
    createGuessBudget(() => {}),
  );
  const own = createOwnDomains(["home.example", ".customers.example", "srs.example"]);
  return createSrsMaps({ rewriter, gate, ownDomains: () => own, now });
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
  ["forward", "@origin.example"],
  ["forward", "ann@home.example"],
  ["forward", "ann@HOME.example"],
  ["forward", "ann@mail.customers.example"],
  ["forward", GOOD],
  ["forward", BAD],
  ["forward", `${"a".repeat(60)}@${"b".repeat(60)}.example`],
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
    assert.equal(maps().lookUp(map, key).kind, "not-found");
  });
}

test("a sender goes out as an SRS address, which comes back as the sender", () => {
  const { lookUp } = maps();
  assert.deepEqual(lookUp("forward", "bob@origin.example"), { kind: "found", value: GOOD });
  assert.deepEqual(lookUp("reverse", GOOD), { kind: "found", value: "bob@origin.example" });
  const quoted = lookUp("forward", '"two words"@origin.example');
  assert.ok(quoted.kind === "found");
  assert.deepEqual(lookUp("reverse", quoted.value), { kind: "found", value: '"two words"@origin.example' });
});

test("the SRS address of another forwarder goes out as SRS1", () => {
  const answer = maps().lookUp("forward", "SRS0=abcd=Z5=origin.example=bob@first.example");
  assert.ok(answer.kind === "found");
  assert.match(answer.value, /^SRS1=[^=]{4}=first\.example==abcd=Z5=origin\.example=bob@srs\.example$/);
});

test("a forged and an expired recipient is to be refused, and is not unwrapped", () => {
  const later = maps(() => NOW + 40 * DAY);
  const refused = { kind: "found", value: renderReply(NOT_A_BOUNCE) };
  assert.deepEqual(maps().lookUp("reject", BAD), refused);
  assert.deepEqual(later.lookUp("reject", GOOD), refused);
  assert.equal(later.lookUp("reverse", GOOD).kind, "not-found");
});

test("whoever guesses has to wait, and so does a real bounce meanwhile", () => {
  const { lookUp } = maps();
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
  const { lookUp } = createSrsMaps({ rewriter: strong, gate, ownDomains: () => own, now: () => NOW });
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

test("reject-sender refuses a sender at our SRS domain who was not made here, and nobody else", () => {
  const { lookUp } = maps();
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
  assert.deepEqual(maps().lookUp("fordward", "bob@origin.example"), {
    kind: "wrong",
    why: "there is no such map: ask for forward, reverse, reject or reject-sender",
  });
});
