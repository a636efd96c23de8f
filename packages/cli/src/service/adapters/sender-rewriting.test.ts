import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter, type Mailbox } from "@homing/srs-core";
import { createSenderRewriting } from "./sender-rewriting.ts";

const NOW = 1_700_000_000;
const BOB: Mailbox = { localPart: "bob", domain: "origin.example" };
const LONG: Mailbox = { localPart: "v".repeat(65), domain: "origin.example" };

/** As kept-senders.ts: nothing is kept but on somebody's behalf. */
function scene({ isDurable = true, hasRoom = true } = {}) {
  const kept = new Map<string, Mailbox>();
  const paid: (string | undefined)[] = [];
  let isPaying = false;
  const store = {
    keep(token: string, sender: Mailbox): boolean {
      if (isPaying && hasRoom) kept.set(token, sender);
      return isPaying && hasRoom;
    },
    find: (token: string) => kept.get(token),
  };
  const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "srs.example", store });
  const rewriting = createSenderRewriting(rewriter, {
    onBehalfOf(client, _, work) {
      paid.push(client);
      isPaying = true;
      try {
        const made = work();
        return hasRoom ? made : "no-room";
      } finally {
        isPaying = false;
      }
    },
    durable: async () => isDurable,
  });
  return { rewriter, rewriting, kept, paid };
}

test("a sender who fits is rewritten at once, and nobody pays", () => {
  const { rewriter, rewriting, kept, paid } = scene();
  assert.deepEqual(rewriting.forward(BOB, NOW), rewriter.forward(BOB, NOW));
  assert.deepEqual([kept.size, paid], [0, []]);
});

test("one who does not is kept, on behalf of the client, and comes back", async () => {
  const { rewriter, rewriting, paid } = scene();
  const outcome = await rewriting.forward(LONG, NOW, { network: "192.0.2" });
  assert.ok(outcome.ok && outcome.rewritten);
  assert.deepEqual(paid, ["192.0.2"]);
  const reversed = rewriter.reverse(outcome.sender, NOW);
  assert.deepEqual(reversed.ok && reversed.address, LONG);
});

test("what is not on the disk is no address yet, nor is what there is no room for", async () => {
  const outcome = await scene({ isDurable: false }).rewriting.forward(LONG, NOW);
  assert.equal(!outcome.ok && outcome.reason, "not-kept");
  const full = await scene({ hasRoom: false }).rewriting.forward(LONG, NOW);
  assert.equal(!full.ok && full.reason, "no-room");
});

test("without a state nothing is kept", () => {
  const outcome = createSenderRewriting(scene().rewriter, undefined).forward(LONG, NOW);
  assert.ok(!(outcome instanceof Promise));
  assert.equal(!outcome.ok && outcome.reason, "too-long");
});
