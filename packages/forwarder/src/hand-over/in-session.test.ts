// Some targets have a message, and the spool does not take the others. What a real one says: test/delivery-by-trust.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import type { Delivery } from "../deliver.ts";
import type { Queue, Taken } from "../queue/queue.ts";
import type { HandOverOptions } from "./hand-over.ts";
import { deliverInSession } from "./in-session.ts";
import { createLateSuccesses, memoryRecords } from "./late-successes.ts";
import { HAND_OVER, incoming, lead } from "./testing/mail.ts";

const DELIVERED: Delivery = { kind: "delivered", hop: "hop", detail: "" };
const FAILED = { kind: "failed", hop: "hop", detail: "" } as const;
const UNKNOWN: Delivery = { ...FAILED, code: 550, enhanced: "5.1.1" };
const GREYLISTED: Delivery = { ...FAILED, code: 450, enhanced: "4.2.1" };
const AWAY: Taken = { kind: "failed", cause: "the storage is away" };
const FULL: Taken = { kind: "no-room", cause: "the disk is full" };

/** What a client hears of a message to targets that end so, and whose refusals are logged as told to it. */
async function heard(ends: readonly Delivery[], taken: Taken) {
  const refused: string[] = [];
  const never = new AbortController().signal;
  const one = lead("list@ours.test", ends.length, undefined);
  const endOf = (mailbox: Mailbox): number => one.copies.findIndex((copy) => copy.mailbox === mailbox);
  const options: HandOverOptions = {
    ...HAND_OVER,
    attempt: async ({ copy }) => ends[endOf(copy.mailbox)] ?? assert.fail("a target of nobody's"),
    queue: { take: async () => taken } as unknown as Queue,
    late: createLateSuccesses(memoryRecords(10), (error) => assert.fail(String(error))),
    waits: { verified: 15, unverified: 240, freeConnectionMs: 1000 },
    stopping: never,
    timeLimit: () => never,
    delivered() {},
    refused(_mail, _lead, { mailbox }, { kind }) {
      if (kind === "failed") refused.push(renderMailbox(mailbox));
    },
  };
  const { code } = await deliverInSession(options, incoming([one]), one);
  return { code, refused };
}

for (const [what, taken, code] of [
  ["the storage is away", AWAY, 451],
  ["there is no room", FULL, 452],
] as const) {
  test(`${what}, and all that is left are refusals: the message is done`, async () => {
    const refused = ["private1@home.test", "private2@home.test"];
    assert.deepEqual(await heard([DELIVERED, UNKNOWN, UNKNOWN], taken), { code: 250, refused });
  });

  test(`${what}, and one of those that are left may still have it: the client comes again`, async () => {
    assert.deepEqual(await heard([DELIVERED, UNKNOWN, GREYLISTED], taken), { code, refused: [] });
  });
}
