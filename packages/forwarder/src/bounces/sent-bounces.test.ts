import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox, NULL_PATH } from "@homing/srs-core";
import type { ForwarderEvent } from "../events.ts";
import type { UnwrappedSrs0 } from "../routes.ts";
import { createSrsDomains } from "../srs-domains.ts";
import { countEaten, createSentBounces } from "./sent-bounces.ts";

const NOW = 1_800_000_000;
const USER: Mailbox = { localPart: "alice", domain: "users.example" };
const NOBODY: Mailbox = { localPart: "nobody", domain: "bounce.example" };
const usual = createRewriter({ secrets: ["a secret"], domain: "forwarder.example" });
const returns = createRewriter({ secrets: ["another secret"], domain: "Bounce.example" });
const domains = createSrsDomains(usual, new Map(), [returns]);

function unwrapped(rewriter: typeof usual): UnwrappedSrs0 {
  const facts = { rewriter, selector: undefined, secretIndex: 0, stamp: "AA" };
  return { srs: "srs0", to: USER, facts, isAnswer: false };
}

test("at a return domain it is asked to whom the mail went, and at no other SRS domain", async () => {
  const asked: Mailbox[] = [];
  const sent = createSentBounces(
    {
      async recipientOf(srs) {
        asked.push(srs);
        return asked.length > 1 ? "away" : undefined;
      },
    },
    domains,
  );
  const srs = returns.forward(USER, NOW);
  assert.ok(srs.ok && srs.sender !== NULL_PATH);
  assert.equal(await sent.find(unwrapped(usual), srs.sender, NOW), undefined);
  assert.deepEqual(asked, []);
  assert.deepEqual(await sent.find(unwrapped(returns), srs.sender, NOW), { to: undefined, foot: [] });
  assert.equal(await sent.find(unwrapped(returns), srs.sender, NOW), "away");
  assert.deepEqual(asked, [srs.sender, srs.sender]);
});

test("a return domain verifies, and rewrites no mail that is forwarded; nor is it the SRS domain of such mail", () => {
  assert.equal(domains.at("BOUNCE.example"), returns);
  assert.equal(domains.forRecipientsAt("bounce.example"), usual);
  assert.deepEqual(["bounce.example", "BOUNCE.EXAMPLE", "forwarder.example"].map(domains.isReturnDomain), [
    true,
    true,
    false,
  ]);
  assert.throws(
    () => createSrsDomains(usual, new Map(), [usual]),
    /forwarder\.example: a return domain must not/,
  );
});

test("what went to nobody is counted, and a counter that fails keeps nothing from being thrown away", async () => {
  const counted: Mailbox[] = [];
  const events: ForwarderEvent[] = [];
  const sentMail = {
    isNobody: (recipient: Mailbox) => recipient === NOBODY,
    async eaten(recipient: Mailbox) {
      counted.push(recipient);
      if (counted.length > 1) throw new Error("the disk is away");
    },
  };
  const lead = (recipient: Mailbox) => ({ recipient, copies: [], trace: () => "" });
  const world = { now: () => NOW, report: (event: ForwarderEvent) => void events.push(event) };
  await countEaten(sentMail, { leads: [lead(USER), lead(NOBODY), lead(NOBODY)] }, world);
  assert.deepEqual(counted, [NOBODY, NOBODY]);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["error"],
  );
});
