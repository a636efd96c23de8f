import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, NULL_PATH, parseMailbox, sameDomain } from "@homing/srs-core";
import { type Asked, createBounceGate, NOT_A_BOUNCE, TOO_MANY_GUESSES } from "./gate.ts";
import { createGuessBudget, type GuessBudget } from "./guesses/guess-budget.ts";

const NOW = 1_700_000_000;
const DAY = 86_400;
const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "forwarder.example" });
const UNBOUNDED: GuessBudget = { mustWait: () => false, failed: () => {} };
const gate = createBounceGate(
  (domain) => (sameDomain(domain, rewriter.domain) ? rewriter : undefined),
  UNBOUNDED,
);
const asked = (now = NOW): Asked => ({ now, network: "192.0.2.1" });
const bob: Mailbox = { localPart: "bob", domain: "origin.example" };

function forged(sender: Mailbox, by = rewriter): Mailbox {
  const outcome = by.forward(sender, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  return outcome.sender;
}

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok);
  return parsed.mailbox;
}

test("a bounce to a good SRS0 address goes to the original sender", () => {
  assert.deepEqual(gate.admit(forged(bob), NULL_PATH, asked()), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("a bounce to a good SRS1 address goes to the first forwarder", () => {
  const first = mailbox("SRS0=abcdefgh=G3=origin.example=bob@first.example");
  assert.deepEqual(gate.admit(forged(first), NULL_PATH, asked()), { kind: "unwrap", to: first, srs: "srs1" });
});

test("mail that passed here twice is unwrapped twice", () => {
  const elsewhere = createRewriter({ secrets: ["another secret of theirs"], domain: "second.example" });
  const again = forged(forged(forged(bob), elsewhere));
  assert.match(again.localPart, /^SRS1=.*=forwarder\.example=/);
  assert.deepEqual(gate.admit(again, NULL_PATH, asked()), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("forged, expired, malformed and non-null get one and the same reply", () => {
  const good = forged(bob);
  const wrongTag = mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@forwarder.example");
  const broken = mailbox("SRS0=x@forwarder.example");
  const admissions = [
    gate.admit(wrongTag, NULL_PATH, asked()),
    gate.admit(good, NULL_PATH, asked(NOW + 22 * DAY)),
    gate.admit(good, NULL_PATH, asked(NOW - DAY)),
    gate.admit(broken, NULL_PATH, asked()),
    gate.admit(good, bob, asked()),
  ];
  const reasons = admissions.map((admission) => {
    assert.equal(admission.kind, "refuse");
    assert.equal(admission.reply, NOT_A_BOUNCE);
    return admission.reason;
  });
  assert.deepEqual(reasons, ["bad-tag", "expired", "future", "malformed", "sender-not-null"]);
});

test("a server with two SRS domains judges at both, and unwraps what went from one to the other", () => {
  const club = createRewriter({ secrets: ["a long random secret"], domain: "srs.club.example" });
  const both = createBounceGate(
    (domain) => [rewriter, club].find((one) => sameDomain(one.domain, domain.toLowerCase())),
    UNBOUNDED,
  );
  assert.ok(both.judges(forged(bob, club)));
  assert.ok(!gate.judges(forged(bob, club)));
  assert.deepEqual(both.admit(forged(bob, club), NULL_PATH, asked()), {
    kind: "unwrap",
    to: bob,
    srs: "srs0",
  });
  const elsewhere = createRewriter({ secrets: ["another secret of theirs"], domain: "second.example" });
  const again = forged(forged(forged(bob, club), elsewhere));
  assert.deepEqual(both.admit(again, NULL_PATH, asked()), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("only SRS-like addresses at the SRS domain are judged here", () => {
  assert.ok(gate.judges(mailbox("SRS0=x@Forwarder.Example")));
  assert.ok(gate.judges(mailbox("srs1+x@forwarder.example")));
  assert.ok(!gate.judges(mailbox("alice@forwarder.example")));
  assert.ok(!gate.judges(mailbox("SRS0=x@other.example")));
});

test("an address of ours as the sender stands for the null path, with a good tag", () => {
  const good = forged(bob);
  const home = { kind: "unwrap", to: bob, srs: "srs0" };
  assert.deepEqual(gate.admit(good, good, asked()), home);
  assert.deepEqual(gate.admit(good, forged({ ...bob, localPart: "carol" }), asked()), home);
  for (const sender of [
    mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@forwarder.example"),
    mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@other.example"),
  ]) {
    assert.equal(gate.admit(good, sender, asked()).kind, "refuse");
  }
});

test("who tried too many wrong tags waits, and nothing is verified for him", () => {
  const alarms: string[] = [];
  let verified = 0;
  const counting = {
    ...rewriter,
    reverse: (...args: Parameters<typeof rewriter.reverse>) => {
      verified++;
      return rewriter.reverse(...args);
    },
  };
  const guarded = createBounceGate(
    () => counting,
    createGuessBudget(({ budget }) => alarms.push(budget)),
  );
  const good = forged(bob);
  const from = (network: string | undefined, recipient: Mailbox) =>
    guarded.admit(recipient, NULL_PATH, { now: NOW, network });
  for (let guess = 0; guess < 1000; guess++) {
    const tag = guess.toString(32).padStart(8, "a");
    from("192.0.2.1", mailbox(`SRS0=${tag}=G3=origin.example=bob@forwarder.example`));
  }
  assert.equal(verified, 20);
  assert.deepEqual(alarms, ["network"]);
  const waits = { kind: "refuse", reply: TOO_MANY_GUESSES, reason: "too-many-guesses" };
  assert.deepEqual(from("192.0.2.1", good), waits);
  assert.deepEqual(from("198.51.100.1", good), { kind: "unwrap", to: bob, srs: "srs0" });
  assert.deepEqual(from(undefined, good), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("what no tag was tried with costs nothing: other days, other senders, half an address", () => {
  const guarded = createBounceGate(
    () => rewriter,
    createGuessBudget(() => assert.fail("no alarm")),
  );
  const good = forged(bob);
  for (let count = 0; count < 100; count++) {
    guarded.admit(good, bob, asked());
    guarded.admit(good, NULL_PATH, asked(NOW + 22 * DAY));
    guarded.admit(mailbox("SRS0=x@forwarder.example"), NULL_PATH, asked());
  }
  assert.equal(guarded.admit(good, NULL_PATH, asked()).kind, "unwrap");
});
