// The queue on a real spool, with a clock of its own and next hops that do as they are told. Made by the tests of the queue.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryContent, wholeContent } from "@homing/mail";
import { type ReversePath, renderMailbox, renderReversePath } from "@homing/srs-core";
import { NOT_SIGNED } from "../../authenticate.ts";
import type { Delivery } from "../../deliver.ts";
import type { MailDsn, RcptDsn } from "../../dsn-parameters.ts";
import type { ForwarderEvent } from "../../events.ts";
import { openSpool } from "../../spool/open-spool.ts";
import type { NewMessage, NotifyParty, Spool } from "../../spool/spool.ts";
import { createFakeClock } from "../../testing/fake-clock.ts";
import type { DsnOptions, LeadsTo } from "../dsn-message.ts";
import { type Outcome, QUEUE_TIMES } from "../next-step.ts";
import { createQueue, type Queue } from "../queue.ts";

export const START = 1_800_000_000;
export const DAY = 86_400;
export const BOB = { localPart: "bob", domain: "origin.test" };
export const ALIAS = { localPart: "alice", domain: "ours.test" };
export const OWNER = { localPart: "owner", domain: "lists.test" };
export const DELIVERED: Extract<Delivery, { kind: "delivered" }> = {
  kind: "delivered",
  hop: "hop",
  detail: "",
};
export const LATER: Extract<Delivery, { kind: "failed" }> = {
  kind: "failed",
  code: 450,
  enhanced: "4.2.1",
  hop: "hop",
  detail: "greylisted",
};
export const NEVER: Extract<Delivery, { kind: "failed" }> = {
  kind: "failed",
  code: 550,
  enhanced: "5.2.2",
  hop: "hop",
  detail: "secret words",
};

export interface Served {
  readonly target: string;
  readonly from: string;
  readonly text: string;
  readonly at: number;
}

export interface Scene {
  readonly queue: Queue;
  readonly spool: Spool;
  /** Unix seconds. */
  readonly now: () => number;
  readonly served: readonly Served[];
  readonly events: readonly ForwarderEvent[];
  /** Jobs that were read from the disk. */
  claimed(): number;
  /** Until so many attempts have been made in all, and written down. */
  attempts(count: number): Promise<void>;
  /** Moves the clock, and lets the queue see what is due. */
  pass(seconds: number): Promise<void>;
}

export interface SceneOptions {
  readonly folder?: string;
  readonly maxAttempts?: number;
  readonly maxAttemptsPerDomain?: number;
  readonly leadsTo?: LeadsTo;
  readonly diagnostic?: DsnOptions["diagnostic"];
  /** What of the spool fails. */
  readonly broken?: (spool: Spool) => Partial<Spool>;
  /** Default: that fails the test. */
  readonly failed?: (error: unknown) => void;
}

/** @param answer what the next hop does with this target's mail */
export async function scene(
  t: TestContext,
  answer: (served: Served) => Outcome | Promise<Outcome>,
  options: SceneOptions = {},
): Promise<Scene> {
  const folder = options.folder ?? (await temporaryFolder(t));
  const opened = await openSpool({ folder, minFreeOctets: 0 });
  const { spool, claimed } = counting({ ...opened, ...options.broken?.(opened) });
  const clock = createFakeClock();
  const now = (): number => START + Math.floor(clock.now() / 1000);
  const served: Served[] = [];
  const events: ForwarderEvent[] = [];
  let ids = 0;
  let over = 0;
  const queue = createQueue({
    spool,
    clock,
    hostname: "mx.ours.test",
    now,
    newId: () => `dsn${++ids}`,
    random: () => 0.5,
    times: QUEUE_TIMES,
    leadsTo: options.leadsTo ?? (async (mailbox) => [{ mailbox, stays: false }]),
    ...(options.diagnostic ? { diagnostic: options.diagnostic } : {}),
    sign: NOT_SIGNED,
    ownFailures: {
      toldOfDelay: async ({ notify }) => notify,
      async giveUp({ lease, recipient }, { toldTo, compose }) {
        const to = toldTo(recipient.notify);
        const dsn = await compose(recipient.notify);
        if (dsn === "later") return { kind: "later" };
        return { kind: "settled", isStored: await spool.fail(lease, dsn), to, dsn };
      },
    },
    report(event) {
      events.push(event);
    },
    failed: options.failed ?? ((error) => assert.fail(error instanceof Error ? error : String(error))),
    maxAttempts: options.maxAttempts ?? 10,
    maxAttemptsPerDomain: options.maxAttemptsPerDomain ?? 5,
    async serve(_, { mailbox, reversePath }, content) {
      const one = {
        target: renderMailbox(mailbox),
        from: renderReversePath(reversePath),
        text: (await wholeContent(content)).toString(),
        at: now() - START,
      };
      served.push(one);
      try {
        return await answer(one);
      } finally {
        over++;
      }
    },
  });
  queue.start();
  t.after(async () => {
    await queue.close();
    await spool.close();
  });
  return {
    queue,
    spool,
    now,
    served,
    events,
    claimed,
    async pass(seconds) {
      // A wake-up on the way finds the time of its own moment; the last two find what the whole time made due.
      for (const part of [seconds - 2, 1, 1]) {
        clock.advance(part * 1000);
        await settled(spool);
      }
    },
    async attempts(count) {
      for (let tries = 0; over < count; tries++) {
        assert.ok(tries < 2000, `${over} attempts in place of ${count}`);
        await sleep(2);
      }
      await settled(spool);
    },
  };
}

/** Everything before it is written: the spool answers in order. */
export async function settled(spool: Spool): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await spool.list({ limit: 1 });
    await sleep(2);
  }
}

export async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-queue-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

export interface Given {
  readonly sender?: ReversePath;
  readonly notify?: NotifyParty;
  readonly due?: number;
  readonly dsn?: MailDsn;
  readonly rcptDsn?: RcptDsn;
  readonly body?: string;
}

export function message(
  targets: readonly string[],
  {
    sender = BOB as ReversePath,
    notify = { kind: "sender" } as NotifyParty,
    due = START,
    ...asked
  }: Given = {},
): NewMessage {
  const { dsn, rcptDsn, body = "body\r\n" } = asked;
  return {
    id: "m1",
    received: START,
    expires: START + QUEUE_TIMES.mail,
    sender,
    eightBit: false,
    smtpUtf8: false,
    ...(dsn ? { dsn } : {}),
    content: memoryContent(Buffer.from(`Subject: x\r\n\r\n${body}`)),
    recipients: targets.map((target) => {
      const [localPart = "", domain = ""] = target.split("@");
      return {
        mailbox: { localPart, domain },
        reversePath: { localPart: "SRS0=x", domain: "ours.test" },
        alias: ALIAS,
        targets: targets.length,
        stays: false,
        trace: "Received: by mx.ours.test\r\n",
        notify,
        ...(rcptDsn ? { dsn: rcptDsn } : {}),
        due,
      };
    }),
  };
}

/** Counts what is claimed: read from the disk. */
function counting(spool: Spool): { readonly spool: Spool; claimed(): number } {
  let claimed = 0;
  return {
    spool: {
      ...spool,
      async claim(wanted) {
        const jobs = await spool.claim(wanted);
        claimed += jobs.length;
        return jobs;
      },
    },
    claimed: () => claimed,
  };
}
