import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, NULL_PATH, parseMailbox, sameDomain } from "@homing/srs-core";
import { createBounceGate, NOT_A_BOUNCE } from "./gate.ts";

const NOW = 1_700_000_000;
const DAY = 86_400;
const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "forwarder.example" });
const gate = createBounceGate((domain) => (sameDomain(domain, rewriter.domain) ? rewriter : undefined));
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
  assert.deepEqual(gate.admit(forged(bob), NULL_PATH, NOW), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("a bounce to a good SRS1 address goes to the first forwarder", () => {
  const first = mailbox("SRS0=abcdefgh=G3=origin.example=bob@first.example");
  assert.deepEqual(gate.admit(forged(first), NULL_PATH, NOW), { kind: "unwrap", to: first, srs: "srs1" });
});

test("mail that passed here twice is unwrapped twice", () => {
  const elsewhere = createRewriter({ secrets: ["another secret of theirs"], domain: "second.example" });
  const again = forged(forged(forged(bob), elsewhere));
  assert.match(again.localPart, /^SRS1=.*=forwarder\.example=/);
  assert.deepEqual(gate.admit(again, NULL_PATH, NOW), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("forged, expired, malformed and non-null get one and the same reply", () => {
  const good = forged(bob);
  const wrongTag = mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@forwarder.example");
  const broken = mailbox("SRS0=x@forwarder.example");
  const admissions = [
    gate.admit(wrongTag, NULL_PATH, NOW),
    gate.admit(good, NULL_PATH, NOW + 22 * DAY),
    gate.admit(good, NULL_PATH, NOW - DAY),
    gate.admit(broken, NULL_PATH, NOW),
    gate.admit(good, bob, NOW),
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
  const both = createBounceGate((domain) =>
    [rewriter, club].find((one) => sameDomain(one.domain, domain.toLowerCase())),
  );
  assert.ok(both.judges(forged(bob, club)));
  assert.ok(!gate.judges(forged(bob, club)));
  assert.deepEqual(both.admit(forged(bob, club), NULL_PATH, NOW), { kind: "unwrap", to: bob, srs: "srs0" });
  const elsewhere = createRewriter({ secrets: ["another secret of theirs"], domain: "second.example" });
  const again = forged(forged(forged(bob, club), elsewhere));
  assert.deepEqual(both.admit(again, NULL_PATH, NOW), { kind: "unwrap", to: bob, srs: "srs0" });
});

test("only SRS-like addresses at the SRS domain are judged here", () => {
  assert.ok(gate.judges(mailbox("SRS0=x@Forwarder.Example")));
  assert.ok(gate.judges(mailbox("srs1+x@forwarder.example")));
  assert.ok(!gate.judges(mailbox("alice@forwarder.example")));
  assert.ok(!gate.judges(mailbox("SRS0=x@other.example")));
});
