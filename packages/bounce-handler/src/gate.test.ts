import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, NULL_PATH, parseMailbox, sameDomain } from "@homing/srs-core";
import { type Admission, type Asked, createBounceGate, NOT_A_BOUNCE, TOO_MANY_GUESSES } from "./gate.ts";
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

/** What was admitted, in short. */
function told(admission: Admission): unknown {
  if (admission.kind === "refuse") return admission;
  const { unwrapped } = admission;
  const { to, srs } = unwrapped;
  return unwrapped.srs === "srs1" ? { to, srs } : { to, srs, isAnswer: unwrapped.isAnswer };
}

const HOME = { to: bob, srs: "srs0", isAnswer: false };

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok);
  return parsed.mailbox;
}

test("a bounce to a good SRS0 address goes to the original sender", () => {
  const alias = mailbox("alice@forwarder.example");
  const outcome = rewriter.forward(bob, NOW, { alias });
  assert.ok(outcome.ok);
  assert.ok(outcome.sender !== NULL_PATH);
  const admission = gate.admit(outcome.sender, NULL_PATH, asked());
  assert.deepEqual(told(admission), HOME);
  assert.ok(admission.kind === "unwrap" && admission.unwrapped.srs === "srs0");
  const [selector] = rewriter.selectorsOf(alias);
  assert.deepEqual(admission.unwrapped.facts, { rewriter, selector, secretIndex: 0, stamp: "G3" });
});

test("a bounce to a good SRS1 address goes to the first forwarder", () => {
  const first = mailbox("SRS0=abcdefgh=G3=origin.example=bob@first.example");
  assert.deepEqual(told(gate.admit(forged(first), NULL_PATH, asked())), { to: first, srs: "srs1" });
  const answer = gate.admit(forged(first), bob, asked());
  assert.deepEqual(answer, { kind: "refuse", reply: NOT_A_BOUNCE, reason: "sender-not-null" });
});

test("mail that passed here twice is unwrapped twice", () => {
  const elsewhere = createRewriter({ secrets: ["another secret of theirs"], domain: "second.example" });
  const again = forged(forged(forged(bob), elsewhere));
  assert.match(again.localPart, /^SRS1=.*=forwarder\.example=/);
  assert.deepEqual(told(gate.admit(again, NULL_PATH, asked())), HOME);
});

test("forged, expired and malformed get one and the same reply, and who has a sender is told apart", () => {
  const good = forged(bob);
  const wrongTag = mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@forwarder.example");
  const broken = mailbox("SRS0=x@forwarder.example");
  const admissions = [
    gate.admit(wrongTag, NULL_PATH, asked()),
    gate.admit(good, NULL_PATH, asked(NOW + 22 * DAY)),
    gate.admit(good, NULL_PATH, asked(NOW - DAY)),
    gate.admit(broken, NULL_PATH, asked()),
  ];
  const reasons = admissions.map((admission) => {
    assert.equal(admission.kind, "refuse");
    assert.equal(admission.reply, NOT_A_BOUNCE);
    return admission.reason;
  });
  assert.deepEqual(reasons, ["bad-tag", "expired", "future", "malformed"]);
  assert.deepEqual(told(gate.admit(good, bob, asked())), { ...HOME, isAnswer: true }, "who calls decides");
});

test("a server with two SRS domains judges at both, and unwraps what went from one to the other", () => {
  const club = createRewriter({ secrets: ["a long random secret"], domain: "srs.club.example" });
  const both = createBounceGate(
    (domain) => [rewriter, club].find((one) => sameDomain(one.domain, domain.toLowerCase())),
    UNBOUNDED,
  );
  assert.ok(both.judges(forged(bob, club)));
  assert.ok(!gate.judges(forged(bob, club)));
  const inClub = both.admit(forged(bob, club), NULL_PATH, asked());
  assert.deepEqual(told(inClub), HOME);
  assert.ok(inClub.kind === "unwrap" && inClub.unwrapped.srs === "srs0");
  assert.equal(inClub.unwrapped.facts.rewriter, club);
  const elsewhere = createRewriter({ secrets: ["another secret of theirs"], domain: "second.example" });
  const again = forged(forged(forged(bob, club), elsewhere));
  assert.deepEqual(told(both.admit(again, NULL_PATH, asked())), HOME);
});

test("only SRS-like addresses at the SRS domain are judged here", () => {
  assert.ok(gate.judges(mailbox("SRS0=x@Forwarder.Example")));
  assert.ok(gate.judges(mailbox("srs1+x@forwarder.example")));
  assert.ok(!gate.judges(mailbox("alice@forwarder.example")));
  assert.ok(!gate.judges(mailbox("SRS0=x@other.example")));
});

test("an address of ours as the sender stands for the null path, with a good tag", () => {
  const good = forged(bob);
  assert.deepEqual(told(gate.admit(good, good, asked())), HOME);
  const carols = forged({ ...bob, localPart: "carol" });
  assert.deepEqual(told(gate.admit(good, carols, asked())), HOME);
  for (const sender of [
    mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@forwarder.example"),
    mailbox("SRS0=aaaaaaaa=G3=origin.example=bob@other.example"),
  ]) {
    assert.deepEqual(told(gate.admit(good, sender, asked())), { ...HOME, isAnswer: true });
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
  const guess = (characters: number, times: number): number => {
    const before = verified;
    for (let nth = 0; nth < times; nth++) {
      const tag = nth.toString(32).padStart(characters, "a");
      from("192.0.2.1", mailbox(`SRS0=${tag}=G3=origin.example=bob@forwarder.example`));
    }
    return verified - before;
  };
  const short = mailbox("SRS0=aaaa=G3=origin.example=bob@forwarder.example");
  const waits = { kind: "refuse", reply: TOO_MANY_GUESSES, reason: "too-many-guesses" };
  assert.equal(guess(4, 1000), 20);
  assert.deepEqual(alarms, ["network"]);
  assert.deepEqual(from("192.0.2.1", short), waits);
  assert.deepEqual(told(from("192.0.2.1", good)), HOME, "a long tag has a budget of its own");
  assert.equal(guess(8, 100), 100);
  assert.deepEqual(told(from("192.0.2.1", good)), HOME, "whoever has backscatter has real bounces, too");
  assert.equal(guess(8, 5000), 900);
  assert.deepEqual(from("192.0.2.1", good), waits);
  assert.deepEqual(told(from("198.51.100.1", good)), HOME);
  assert.deepEqual(told(from(undefined, good)), HOME);
});

test("whatever stands behind the host of SRS1, there is one budget for that host", () => {
  const victims: string[] = [];
  const guarded = createBounceGate(
    () => rewriter,
    createGuessBudget(({ budget, victim }) => victims.push(`${budget} ${victim}`)),
  );
  const reasons = Array.from({ length: 300 }, (_, nth) => {
    const recipient = mailbox(`SRS1=abcd=Victim.example==xxxx=G3=o.example=u${nth}@forwarder.example`);
    const admission = guarded.admit(recipient, NULL_PATH, { now: NOW, network: `192.0.2.${nth}` });
    return admission.kind === "refuse" ? admission.reason : undefined;
  });
  assert.equal(reasons.filter((reason) => reason === "bad-tag").length, 100);
  assert.equal(reasons.filter((reason) => reason === "too-many-guesses").length, 200);
  assert.deepEqual(victims, ["victim victim.example"]);
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
