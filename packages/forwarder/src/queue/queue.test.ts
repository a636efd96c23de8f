// The queue on a real spool, with a clock of its own and next hops that do as they are told.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { DiagnosticPolicy } from "@homing/bounce-handler";
import { memoryContent, wholeContent } from "@homing/mail";
import { NULL_PATH, type ReversePath, renderMailbox, renderReversePath } from "@homing/srs-core";
import { NOT_SIGNED } from "../authenticate.ts";
import type { Delivery } from "../deliver.ts";
import type { MailDsn, RcptDsn } from "../dsn-parameters.ts";
import type { ForwarderEvent } from "../events.ts";
import { openSpool } from "../spool/open-spool.ts";
import type { NewMessage, NotifyParty, Spool } from "../spool/spool.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import type { DsnOptions, LeadsTo } from "./dsn-message.ts";
import { type Outcome, QUEUE_TIMES } from "./next-step.ts";
import { createQueue, type Queue } from "./queue.ts";

const START = 1_800_000_000;
const DAY = 86_400;
const BOB = { localPart: "bob", domain: "origin.test" };
const ALIAS = { localPart: "alice", domain: "ours.test" };
const OWNER = { localPart: "owner", domain: "lists.test" };
const DELIVERED: Delivery = { kind: "delivered", hop: "hop", detail: "" };
const LATER: Delivery = { kind: "failed", code: 450, enhanced: "4.2.1", hop: "hop", detail: "greylisted" };
const NEVER: Delivery = { kind: "failed", code: 550, enhanced: "5.2.2", hop: "hop", detail: "secret words" };

interface Served {
  readonly target: string;
  readonly from: string;
  readonly text: string;
  readonly at: number;
}

interface Scene {
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

interface SceneOptions {
  readonly folder?: string;
  readonly maxAttempts?: number;
  readonly maxAttemptsPerDomain?: number;
  readonly leadsTo?: LeadsTo;
  readonly diagnostic?: DsnOptions["diagnostic"];
}

/** @param answer what the next hop does with this target's mail */
async function scene(
  t: TestContext,
  answer: (served: Served) => Outcome | Promise<Outcome>,
  options: SceneOptions = {},
): Promise<Scene> {
  const folder = options.folder ?? (await temporaryFolder(t));
  const { spool, claimed } = counting(await openSpool({ folder, minFreeOctets: 0 }));
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
    failed: (error) => assert.fail(error instanceof Error ? error : String(error)),
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
      const outcome = await answer(one);
      over++;
      return outcome;
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
async function settled(spool: Spool): Promise<void> {
  for (let round = 0; round < 3; round++) {
    await spool.list({ limit: 1 });
    await sleep(2);
  }
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-queue-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

interface Given {
  readonly sender?: ReversePath;
  readonly notify?: NotifyParty;
  readonly due?: number;
  readonly dsn?: MailDsn;
  readonly rcptDsn?: RcptDsn;
  readonly body?: string;
}

function message(
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

test("what is taken is served at once, with our Received field on top, and is gone", async (t) => {
  const { queue, spool, served, attempts } = await scene(t, () => DELIVERED);
  assert.deepEqual(await queue.take(message(["a@home.test", "b@home.test"])), { kind: "stored" });
  await attempts(2);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["a@home.test", "b@home.test"],
  );
  assert.equal(served[0]?.text, "Received: by mx.ours.test\r\nSubject: x\r\n\r\nbody\r\n");
  assert.equal(served[0]?.from, "SRS0=x@ours.test");
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a deferral is tried again, later and later, until the next hop takes it", async (t) => {
  let left = 3;
  const { queue, spool, served, events, attempts, pass } = await scene(t, () =>
    left-- > 0 ? LATER : DELIVERED,
  );
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  for (const [count, wait] of [
    [2, 1200],
    [3, 1200],
    [4, 2400],
  ] as const) {
    await pass(wait);
    await attempts(count);
  }
  const waits = events
    .filter((event) => event.event === "deferred")
    .map(({ due }, attempt) => due - START - (served[attempt]?.at ?? 0));
  // As long again as it took until then.
  assert.deepEqual(
    waits,
    served.slice(0, 3).map(({ at }) => Math.max(300, at)),
  );
  assert.equal(served.length, 4);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a refusal comes back to the sender as a DSN about the alias, and names neither target nor the hop's words", async (t) => {
  const { queue, spool, served, events, attempts } = await scene(t, ({ target }) =>
    target === "bob@origin.test" ? DELIVERED : NEVER,
  );
  await queue.take(message(["private@home.test"]));
  await attempts(2);
  const dsn = served[1];
  assert.equal(dsn?.target, "bob@origin.test");
  assert.equal(dsn?.from, "");
  assert.match(
    dsn?.text ?? "",
    /\r\nFinal-Recipient: rfc822; alice@ours\.test\r\nAction: failed\r\nStatus: 5\.2\.2\r\n/,
  );
  assert.doesNotMatch(dsn?.text ?? "", /private|home\.test|secret words/);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  assert.deepEqual(
    events.filter(({ event }) => event === "dsn"),
    [{ event: "dsn", id: "dsn1", about: "m1", to: "bob@origin.test", action: "failed" }],
  );
});

const nobody: [what: string, changed: Given][] = [
  ["the null sender", { sender: NULL_PATH }],
  ["a sender who may be forged", { notify: { kind: "nobody" } }],
];
for (const [what, changed] of nobody) {
  test(`a refusal of mail from ${what} makes no DSN`, async (t) => {
    const { queue, spool, events, attempts } = await scene(t, () => NEVER);
    await queue.take(message(["a@home.test"], changed));
    await attempts(1);
    assert.deepEqual(
      events.map(({ event }) => event),
      ["given-up"],
    );
    assert.deepEqual(await spool.list({ limit: 10 }), []);
  });
}

test("the owner of a list hears of its members' failures, and a DSN that fails makes none", async (t) => {
  const { queue, spool, served, attempts } = await scene(t, () => NEVER);
  await queue.take(message(["a@home.test"], { notify: { kind: "mailbox", mailbox: OWNER } }));
  await attempts(2);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["a@home.test", "owner@lists.test"],
  );
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("after four hours the sender is told of the delay, once, and after four days of the failure", async (t) => {
  const { queue, spool, now, served, attempts, pass } = await scene(t, ({ target }) =>
    target === "bob@origin.test" ? DELIVERED : LATER,
  );
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  while (now() < START + QUEUE_TIMES.mail + 10) await pass(1800);
  const told = served.filter(({ target }) => target === "bob@origin.test");
  assert.deepEqual(
    told.map(({ text }) => /Action: (\w+)\r\nStatus: ([\d.]+)/.exec(text)?.slice(1)),
    [
      ["delayed", "4.2.1"],
      ["failed", "4.4.7"],
    ],
  );
  const [delay, failure] = told;
  assert.ok((delay?.at ?? 0) >= 4 * 3600 && (delay?.at ?? 0) < 6 * 3600, `told after ${delay?.at} s`);
  assert.ok((failure?.at ?? 0) >= 4 * DAY && (failure?.at ?? 0) < 4 * DAY + 3600, `after ${failure?.at} s`);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("an attempt that ran already is the one attempt: its outcome is written down", async (t) => {
  const { queue, spool, served } = await scene(t, () => assert.fail("a second attempt"));
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  assert.deepEqual(await queue.take(message(["a@home.test"]), [promise]), { kind: "stored" });
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  resolve(DELIVERED);
  await settled(spool);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  assert.equal(served.length, 0);
});

test("several that are taken together are served at once where there is room, the others as there is", async (t) => {
  const { queue, spool, served, attempts, pass } = await scene(t, () => DELIVERED, {
    maxAttemptsPerDomain: 2,
  });
  const mails = ["m1", "m2", "m3", "m4"].map((id) => ({ ...message([`${id}@home.test`]), id }));
  assert.deepEqual(await queue.takeAll(mails), { kind: "stored" });
  await attempts(2);
  await pass(3);
  await attempts(4);
  assert.deepEqual(
    served.map(({ target }) => target).toSorted(),
    mails.map(({ id }) => `${id}@home.test`),
  );
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("of several that are taken together, an attempt that is over is written down", async (t) => {
  const { queue, spool, served, attempts } = await scene(t, () => DELIVERED);
  const mails = ["m1", "m2"].map((id) => ({ ...message([`${id}@home.test`]), id }));
  assert.deepEqual(await queue.takeAll(mails, undefined, [undefined, [Promise.resolve(NEVER)]]), {
    kind: "stored",
  });
  await attempts(2);
  assert.deepEqual(served.map(({ target }) => target).toSorted(), ["bob@origin.test", "m1@home.test"]);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("several whose notes forbid it are not served, and their slots are free for others", async (t) => {
  const { queue, spool, served, attempts } = await scene(t, () => DELIVERED, { maxAttempts: 1 });
  const note = { of: "x", key: "k" };
  const notes = {
    now: START,
    write: [{ ...note, value: "", expires: START + 9 }],
    remove: [],
    absent: [note],
  };
  const mails = ["m1", "m2"].map((id) => ({ ...message([`${id}@home.test`]), id }));
  assert.equal((await queue.takeAll(mails.slice(0, 1), notes)).kind, "stored");
  await attempts(1);
  assert.equal((await queue.takeAll(mails.slice(1), notes)).kind, "conflict");
  assert.equal((await queue.take({ ...message(["m3@home.test"]), id: "m3" }, [], notes)).kind, "conflict");
  assert.equal((await queue.take({ ...message(["m4@home.test"]), id: "m4" })).kind, "stored");
  await attempts(2);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["m1@home.test", "m4@home.test"],
  );
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

const torn = (id: string): NewMessage => ({
  ...message(["torn@home.test"]),
  id,
  content: {
    ...memoryContent(Buffer.from("")),
    get octets(): number {
      throw new Error("a bug");
    },
  },
});
const bugs: [how: string, take: (queue: Queue) => Promise<unknown>][] = [
  ["alone", (queue) => queue.take(torn("m1"))],
  ["with others", (queue) => queue.takeAll([{ ...message(["a@home.test"]), id: "m1" }, torn("m2")])],
];
for (const [how, take] of bugs) {
  test(`what a bug keeps from being stored, ${how}, keeps no slots: others are served at once`, async (t) => {
    const { queue, spool, served, attempts } = await scene(t, () => DELIVERED, { maxAttempts: 2 });
    for (let again = 0; again < 3; again++) await assert.rejects(take(queue), /a bug/);
    const mails = ["m3", "m4"].map((id) => ({ ...message([`${id}@home.test`]), id }));
    assert.equal((await queue.takeAll(mails)).kind, "stored");
    await attempts(2);
    assert.deepEqual(served.map(({ target }) => target).toSorted(), ["m3@home.test", "m4@home.test"]);
    assert.deepEqual(await spool.list({ limit: 10 }), []);
  });
}

test("one slow domain has its slots, and others are served beside it", async (t) => {
  const { promise: never, resolve } = Promise.withResolvers<Delivery>();
  const { queue, served, pass } = await scene(
    t,
    ({ target }) => (target.endsWith("@slow.test") ? never : DELIVERED),
    { maxAttempts: 10, maxAttemptsPerDomain: 2 },
  );
  await queue.take(message(Array.from({ length: 20 }, (_, n) => `u${n}@slow.test`)));
  await queue.take({ ...message(["a@quick.test"]), id: "m2" });
  for (let tries = 0; tries < 500 && !served.some(({ target }) => target === "a@quick.test"); tries++) {
    await pass(3);
  }
  assert.ok(served.some(({ target }) => target === "a@quick.test"));
  const slow = served.filter(({ target }) => target.endsWith("@slow.test")).length;
  assert.ok(slow <= 4, `${slow} attempts at a time to the slow domain`);
  resolve(DELIVERED);
  for (let tries = 0; tries < 1000 && served.length < 21; tries++) {
    await pass(3);
  }
  assert.equal(new Set(served.map(({ target }) => target)).size, 21);
  assert.equal(served.length, 21);
});

/** Attempts that are held until they are let go, in their order. */
function held() {
  const waiting: (() => void)[] = [];
  return {
    answer: () => new Promise<Delivery>((resolve) => waiting.push(() => resolve(DELIVERED))),
    async letGo(count = 1): Promise<void> {
      for (let tries = 0; waiting.length < count; tries++) {
        assert.ok(tries < 2000, `${waiting.length} attempts in place of ${count}`);
        await sleep(2);
      }
      for (const go of waiting.splice(0, count)) go();
    },
  };
}

const numbered = (count: number): NewMessage[] =>
  Array.from({ length: count }, (_, at) => ({ ...message([`u${at}@home.test`]), id: `m${at}` }));

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

test("what finds no slot waits in memory for one, in its order, and is not read from the disk", async (t) => {
  const hop = held();
  const { queue, spool, served, attempts, claimed } = await scene(t, hop.answer, { maxAttemptsPerDomain: 2 });
  for (const one of numbered(40)) assert.deepEqual(await queue.take(one), { kind: "stored" });
  for (let at = 0; at < 40; at++) await hop.letGo();
  await attempts(40);
  assert.deepEqual(
    served.map(({ target }) => target),
    numbered(40).map((_, at) => `u${at}@home.test`),
  );
  assert.equal(claimed(), 0);
  assert.deepEqual(await spool.list({ limit: 100 }), []);
});

test("what finds no room in memory either waits on the disk, and each is served once", async (t) => {
  const body = "a".repeat(60 * 1024);
  const hop = held();
  const { queue, spool, served, attempts, claimed } = await scene(t, hop.answer, { maxAttemptsPerDomain: 2 });
  const count = 200;
  for (const one of numbered(count))
    await queue.take({ ...one, content: memoryContent(Buffer.from(`Subject: x\r\n\r\n${body}`)) });
  for (let at = 0; at < count; at++) await hop.letGo();
  await attempts(count);
  assert.equal(new Set(served.map(({ target }) => target)).size, count);
  assert.equal(served.length, count);
  // 4 MB of one domain, and its two attempts.
  assert.ok(claimed() > count / 2 && claimed() < count, `${claimed()} were read from the disk`);
  assert.deepEqual(await spool.list({ limit: 1000 }), []);
});

test("while mail of a domain waits on the disk, what comes does not overtake it", async (t) => {
  const hop = held();
  const folder = await temporaryFolder(t);
  const before = await openSpool({ folder, minFreeOctets: 0 });
  for (const one of numbered(30)) await before.put(one);
  await before.close();
  const { queue, served, attempts, claimed } = await scene(t, hop.answer, {
    folder,
    maxAttemptsPerDomain: 2,
  });
  // Two are served, and two wait in memory: the domain is busy.
  for (let tries = 0; tries < 1000 && claimed() < 4; tries++) await sleep(2);
  await queue.take({ ...message(["late@home.test"]), id: "late" });
  for (let at = 0; at < 31; at++) await hop.letGo();
  await attempts(31);
  assert.equal(served.at(-1)?.target, "late@home.test");
});

test("a message that is dropped while it waits in memory is never tried", async (t) => {
  const hop = held();
  const { queue, spool, served, attempts } = await scene(t, hop.answer, { maxAttemptsPerDomain: 1 });
  for (const one of numbered(3)) await queue.take(one);
  assert.equal(await spool.drop("m1"), true);
  queue.dropped("m1");
  await hop.letGo();
  await hop.letGo();
  await attempts(2);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["u0@home.test", "u2@home.test"],
  );
});

test("what waits in memory when the queue ends is there for the next one", async (t) => {
  const folder = await temporaryFolder(t);
  const hop = held();
  const first = await scene(t, hop.answer, { folder, maxAttemptsPerDomain: 1 });
  for (const one of numbered(5)) await first.queue.take(one);
  const closed = first.queue.close();
  await hop.letGo();
  await closed;
  await first.spool.close();
  assert.equal(first.served.length, 1);
  const next = await scene(t, () => DELIVERED, { folder });
  await next.attempts(4);
  assert.deepEqual(
    next.served.map(({ target }) => target).toSorted(),
    [1, 2, 3, 4].map((at) => `u${at}@home.test`),
  );
});

test("what was in the queue when the process ended is served by the next one", async (t) => {
  const folder = await temporaryFolder(t);
  const spool = await openSpool({ folder, minFreeOctets: 0 });
  await spool.put(message(["a@home.test"]));
  await spool.close();
  const next = await scene(t, () => DELIVERED, { folder });
  await next.attempts(1);
  assert.deepEqual(
    next.served.map(({ target }) => target),
    ["a@home.test"],
  );
});

test("an attempt for which no connection was free counts for nothing, even after the last day", async (t) => {
  let busy = 2;
  const { queue, spool, served, events, attempts, pass } = await scene(t, () =>
    busy-- > 0 ? { kind: "put-off", cause: "no connection was free" } : DELIVERED,
  );
  await queue.take({ ...message(["a@home.test"]), expires: START });
  await attempts(1);
  await pass(20);
  await pass(20);
  await attempts(3);
  assert.equal(served.length, 3);
  assert.deepEqual(events, []);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a sender whose address cannot be looked up now is told later", async (t) => {
  let away = true;
  const { queue, spool, served, events, attempts, pass } = await scene(
    t,
    ({ target }) => (target === "bob@origin.test" ? DELIVERED : NEVER),
    { leadsTo: async (mailbox) => (away ? "later" : [{ mailbox, stays: false }]) },
  );
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  away = false;
  await pass(400);
  await attempts(3);
  assert.deepEqual(
    served.map(({ target }) => target),
    ["a@home.test", "a@home.test", "bob@origin.test"],
  );
  assert.ok(events.some(({ event }) => event === "dsn"));
});

test("a sender whose address cannot be looked up a day behind the end is told nothing, and the log says so", async (t) => {
  const { queue, spool, events, attempts, pass } = await scene(t, () => NEVER, {
    leadsTo: async () => "later",
  });
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  await pass(QUEUE_TIMES.mail + DAY - 600);
  await attempts(2);
  assert.deepEqual(events, []);
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  await pass(900);
  await attempts(3);
  const names = { id: "m1", target: "a@home.test" };
  assert.deepEqual(events, [
    { event: "given-up", ...names, attempts: 3, enhanced: "5.2.2" },
    { event: "nobody-told", ...names, to: "bob@origin.test" },
  ]);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a sender whose address takes no mail is told nothing, and the log says so", async (t) => {
  const { queue, spool, events, attempts } = await scene(t, () => NEVER, { leadsTo: async () => [] });
  await queue.take(message(["a@home.test"]));
  await attempts(1);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["given-up", "nobody-told"],
  );
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("what somebody made due is tried at once, also when the queue is just asking when it shall wake", async (t) => {
  const { queue, spool, now, served, attempts } = await scene(t, ({ at }) => (at === 0 ? LATER : DELIVERED));
  for (let round = 1; round <= 20; round++) {
    // Not due: the queue looks, finds nothing, and asks for the next due time.
    await queue.take({ ...message([`u${round}@home.test`], { due: START + 9999 }), id: `m${round}` });
    for (let turns = 0; turns < round; turns++) await Promise.resolve();
    assert.equal(await spool.retryNow(`m${round}`, now()), 1);
    queue.wake();
    await attempts(round);
    assert.equal(served.at(-1)?.target, `u${round}@home.test`);
  }
});

test("a message that is dropped while an attempt runs is gone, and what the attempt finds counts for nothing", async (t) => {
  for (const outcome of [DELIVERED, LATER, NEVER]) {
    const { promise, resolve } = Promise.withResolvers<Delivery>();
    const { queue, spool, served, events, attempts } = await scene(t, () => promise);
    await queue.take(message(["a@home.test"]));
    for (let tries = 0; tries < 1000 && served.length === 0; tries++) await sleep(2);
    assert.equal(await spool.drop("m1"), true);
    resolve(outcome);
    await attempts(1);
    assert.deepEqual(await spool.list({ limit: 10 }), []);
    // No DSN either.
    assert.equal(served.length, 1);
    assert.deepEqual(
      events.filter(({ event }) => event === "lease-lost" || event === "dsn"),
      [{ event: "lease-lost", id: "m1", target: "a@home.test", attempts: 1 }],
    );
  }
});

/** What reached the sender, as actions, of mail that takes a day and is then refused, or taken. */
async function toldOfSlowMail(t: TestContext, given: Given, last: Delivery): Promise<readonly string[]> {
  const { queue, spool, now, served, attempts, pass } = await scene(t, ({ target, at }) => {
    if (target === "bob@origin.test") return DELIVERED;
    return at < DAY / 4 ? LATER : last;
  });
  await queue.take(message(["a@home.test"], given));
  await attempts(1);
  while (now() < START + DAY / 4 + 7200) await pass(1800);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  const told = served.filter(({ target }) => target === "bob@origin.test");
  return told.map(({ text }) => /^Action: (\w+)\r$/m.exec(text)?.[1] ?? "");
}

const notified: [notify: RcptDsn["notify"], refused: readonly string[], taken: readonly string[]][] = [
  [undefined, ["delayed", "failed"], ["delayed"]],
  ["never", [], []],
  [["failure"], ["failed"], []],
  [["delay"], ["delayed"], ["delayed"]],
  [["success"], [], ["relayed"]],
  [
    ["success", "failure", "delay"],
    ["delayed", "failed"],
    ["delayed", "relayed"],
  ],
  // The alias was expanded, and that was told.
  [[], [], []],
];
for (const [notify, refused, taken] of notified) {
  const rcptDsn = notify === undefined ? { orcpt: "rfc822;x@y.test" } : { notify };
  test(`NOTIFY ${notify ?? "absent"}: of mail that is refused the sender hears ${refused.join(", ") || "nothing"}`, async (t) => {
    assert.deepEqual(await toldOfSlowMail(t, { rcptDsn }, NEVER), refused);
  });
  test(`NOTIFY ${notify ?? "absent"}: of mail that is taken the sender hears ${taken.join(", ") || "nothing"}`, async (t) => {
    assert.deepEqual(await toldOfSlowMail(t, { rcptDsn }, DELIVERED), taken);
  });
}

/** The DSN about mail of Bob's to one target. */
async function dsnAbout(
  t: TestContext,
  given: Given,
  outcome: Delivery,
  options: SceneOptions = {},
): Promise<string> {
  const { queue, served, attempts } = await scene(
    t,
    ({ target }) => (target === "a@home.test" ? outcome : DELIVERED),
    options,
  );
  await queue.take(message(["a@home.test"], given));
  await attempts(2);
  return served[1]?.text ?? "";
}

test("a DSN has the sender's own names for the message and the recipient", async (t) => {
  const given = { dsn: { envid: "Q+2B1" }, rcptDsn: { orcpt: "rfc822;Al+2Bx@ours.test" } };
  const text = await dsnAbout(t, given, NEVER);
  assert.match(text, /^Original-Envelope-Id: Q\+1\r$/m);
  assert.match(
    text,
    /^Original-Recipient: rfc822; Al\+x@ours\.test\r\nFinal-Recipient: rfc822; alice@ours\.test\r$/m,
  );
});

test("without them it makes none up", async (t) => {
  assert.doesNotMatch(await dsnAbout(t, {}, NEVER), /Original-(?:Envelope|Recipient)/);
});

const SMALL = "the body\r\n";
const LARGE = "the body\r\n".repeat(7000);
const returned: [what: string, given: Given, outcome: Delivery, whole: boolean][] = [
  ["RET=FULL, and it failed", { dsn: { ret: "full" }, body: SMALL }, NEVER, true],
  ["RET=HDRS", { dsn: { ret: "hdrs" }, body: SMALL }, NEVER, false],
  ["no RET", { body: SMALL }, NEVER, false],
  ["RET=FULL, and it is larger than 64 KiB", { dsn: { ret: "full" }, body: LARGE }, NEVER, false],
  [
    "RET=FULL, and it was delivered",
    { dsn: { ret: "full" }, rcptDsn: { notify: ["success"] }, body: SMALL },
    DELIVERED,
    false,
  ],
];
for (const [what, given, outcome, whole] of returned) {
  test(`${what}: the ${whole ? "whole message" : "header alone"} comes back`, async (t) => {
    const text = await dsnAbout(t, given, outcome);
    assert.match(text, /\r\nSubject: x\r\n/);
    assert.equal(text.includes("the body"), whole);
    assert.equal(text.includes("Content-Type: message/rfc822\r\n"), whole);
  });
}

const REPLY = { code: 550, enhanced: "5.2.2" };
const diagnostics: [what: string, outcome: Delivery, policy: DiagnosticPolicy | undefined, line: string][] = [
  ["a server said so", { ...NEVER, reply: REPLY }, undefined, "smtp; 550 5.2.2"],
  [
    "a server said so without an enhanced code",
    { ...NEVER, reply: { code: 554, enhanced: "5.0.0" } },
    "code",
    "smtp; 554",
  ],
  ["it may not be told", { ...NEVER, reply: REPLY }, "none", ""],
  ["its words may not be told either", { ...NEVER, reply: REPLY }, "redacted", "smtp; 550 5.2.2"],
  ["no server said so", NEVER, "code", ""],
];
for (const [what, outcome, policy, line] of diagnostics) {
  test(`${what}: Diagnostic-Code is ${line || "not there"}`, async (t) => {
    const text = await dsnAbout(t, {}, outcome, policy ? { diagnostic: () => policy } : {});
    assert.equal(/^Diagnostic-Code: (.*)\r$/m.exec(text)?.[1] ?? "", line);
    assert.doesNotMatch(text, /secret words/);
  });
}

test("the words of a DSN fit what the next hop meant, and are ours", async (t) => {
  const spam: Delivery = { ...NEVER, enhanced: "5.7.1", detail: "550 5.7.1 blocked using secret.dnsbl.test" };
  const text = await dsnAbout(t, {}, spam);
  assert.match(text, /taken for spam/);
  assert.doesNotMatch(text, /secret|dnsbl/);
});

test("what the sender asked is not the owner's of a list: he hears of failures, without the sender's names", async (t) => {
  const given = {
    notify: { kind: "mailbox", mailbox: OWNER } as const,
    dsn: { envid: "Q1", ret: "full" as const },
    rcptDsn: { notify: "never" as const, orcpt: "rfc822;x@y.test" },
    body: SMALL,
  };
  const text = await dsnAbout(t, given, NEVER);
  assert.match(text, /^To: <owner@lists\.test>\r$/m);
  assert.doesNotMatch(text, /Q1|x@y\.test|the body/);
});

test("what went into our own mail store was delivered, and the DSN is served without delay", async (t) => {
  const stored: Delivery = { ...DELIVERED, stored: true };
  const { queue, spool, served, events, attempts } = await scene(t, () => stored);
  await queue.take(message(["a@ours.test"], { rcptDsn: { notify: ["success"] } }));
  await attempts(2);
  assert.match(served[1]?.text ?? "", /^Action: delivered\r\nStatus: 2\.1\.5\r$/m);
  assert.deepEqual(events, [
    { event: "dsn", id: "dsn1", about: "m1", to: "bob@origin.test", action: "delivered" },
  ]);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a notice of success that cannot be made or kept is in the log, and whoever tells it hears no error", async (t) => {
  const recipient = {
    alias: ALIAS,
    reversePath: NULL_PATH,
    notify: { kind: "sender" },
    dsn: { notify: ["success"] },
  } as const;
  const broken = await scene(t, () => DELIVERED, {
    leadsTo: () => Promise.reject(new Error("a bug")),
  });
  await broken.queue.tell(message([]), recipient, "relayed");
  const closed = await scene(t, () => DELIVERED);
  await closed.spool.close();
  await closed.queue.tell(message([]), recipient, "relayed");
  const told = [broken, closed].map(({ events: [event] }) => (event?.event === "error" ? event.message : ""));
  assert.match(told[0] ?? "", /is not told: a bug$/);
  assert.match(told[1] ?? "", /is not told: the spool is closed$/);
});

test("mail that is taken is gone, also when its notice of success cannot be made", async (t) => {
  const { queue, spool, events, attempts } = await scene(t, () => DELIVERED, {
    leadsTo: () => Promise.reject(new Error("a bug")),
  });
  await queue.take(message(["a@home.test"], { rcptDsn: { notify: ["success"] } }));
  await attempts(1);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  assert.deepEqual(
    events.map(({ event }) => event),
    ["error"],
  );
});

test("mail that is taken is gone, also when its sender cannot be looked up to be told: the log says so", async (t) => {
  const { queue, spool, events, attempts } = await scene(t, () => DELIVERED, {
    leadsTo: async () => "later",
  });
  await queue.take(message(["a@home.test"], { rcptDsn: { notify: ["success"] } }));
  await attempts(1);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  const [event] = events;
  assert.ok(event?.event === "error");
  assert.match(event.message, /^message m1 to alice@ours\.test is delivered, .* cannot be looked up now$/);
});
