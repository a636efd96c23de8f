import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { memoryContent } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import { NOT_SIGNED } from "../authenticate.ts";
import { failuresAfter } from "../bounces/failure-events.ts";
import { createOwnFailures } from "../bounces/own-failures.ts";
import { createPartialFailures } from "../bounces/partial-failures.ts";
import type { ForwarderEvent } from "../events.ts";
import type { NewRecipient, NotifyParty } from "../spool/spool.ts";
import { openState } from "../state.ts";
import { type ConcludeOptions, conclude } from "./conclude.ts";
import { type Outcome, QUEUE_TIMES } from "./next-step.ts";

const START = 1_800_000_000;
const DAY = 86_400;
const ALIAS: Mailbox = { localPart: "alice", domain: "ours.test" };
const OWNER: Mailbox = { localPart: "owner", domain: "ours.test" };
const NEVER: Outcome = { kind: "failed", code: 550, enhanced: "5.1.1", hop: "hop", detail: "gone" };

const told: [who: string, more: Pick<NewRecipient, "targets" | "notify">, to: string][] = [
  ["the sender", { targets: 1, notify: { kind: "sender" } }, "bob@source.test"],
  ["an owner of the tables", { targets: 2, notify: { kind: "mailbox", mailbox: OWNER } }, "owner@ours.test"],
  [
    "an owner of the settings, about one destination of several",
    { targets: 2, notify: { kind: "sender" } },
    "owner@ours.test",
  ],
  ["the same, about mail that may be forged", { targets: 2, notify: { kind: "nobody" } }, "owner@ours.test"],
];
for (const [who, more, to] of told) {
  test(`a failure for ${who} waits while nobody knows where that mail goes, until a day behind the expiry`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "homing-conclude-"));
    let now = START;
    const state = await openState({ folder, maxAgeDays: 21, now: () => now, minFreeOctets: 0 });
    t.after(async () => {
      await state.close();
      await rm(folder, { recursive: true });
    });
    const { spool, failures } = state;
    const events: ForwarderEvent[] = [];
    const report = (event: ForwarderEvent) => events.push(event);
    const options: ConcludeOptions & { startedAt: number } = {
      ...{ spool, report, hostname: "mx.ours.test", times: QUEUE_TIMES, sign: NOT_SIGNED },
      now: () => now,
      startedAt: START,
      isStopping: () => false,
      newId: () => "dsn",
      random: () => 0.5,
      leadsTo: async () => "later",
      ownFailures: createOwnFailures({
        ...{ spool, failures, report, partial: createPartialFailures(failures.notes) },
        targetsOf: async () => "later",
        ownerOf: () => OWNER,
      }),
    };
    const attempt = async (): Promise<void> => {
      const [job] = await spool.claim({ now, leaseUntil: now + DAY, limit: 1 });
      assert.ok(job);
      await conclude(options, job, NEVER);
    };

    await spool.put(mail(more));
    await attempt();
    now = START + QUEUE_TIMES.mail + DAY - 1;
    await attempt();
    assert.deepEqual(events, []);
    // A service that was down for long looks for them a day, too.
    now += DAY;
    options.startedAt = now - 1;
    await attempt();
    assert.deepEqual(events, []);
    options.startedAt = START;
    now += 3600;
    await attempt();
    const names = { id: "m1", target: "a@home.test" };
    assert.deepEqual(events, [
      { event: "given-up", ...names, attempts: 4, enhanced: "5.1.1" },
      { event: "nobody-told", ...names, to },
    ]);
    assert.deepEqual(await spool.list({ limit: 1 }), []);
    const logged = [];
    for await (const { id, destination } of failuresAfter(failures.notes)) logged.push([id, destination]);
    assert.deepEqual(logged, [["m1", "a@home.test"]]);
  });
}

function mail(more: { readonly targets: number; readonly notify: NotifyParty }) {
  return {
    ...{ id: "m1", received: START, expires: START + QUEUE_TIMES.mail, eightBit: false, smtpUtf8: false },
    sender: { localPart: "bob", domain: "source.test" },
    content: memoryContent(Buffer.from("Subject: x\r\n\r\n")),
    recipients: [
      {
        ...{ mailbox: { localPart: "a", domain: "home.test" }, alias: ALIAS, stays: false, trace: "" },
        ...{ reversePath: { localPart: "SRS0=x", domain: "ours.test" }, due: START },
        ...more,
      },
    ],
  };
}
