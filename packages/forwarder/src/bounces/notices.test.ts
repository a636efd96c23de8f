// Notices on a real spool, with a clock of its own: told within half a minute of their time, each whatever becomes of the others.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { wholeContent } from "@homing/mail";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import { NOT_SIGNED, type SignMessage } from "../authenticate.ts";
import type { ForwarderEvent } from "../events.ts";
import type { LeadsTo } from "../queue/dsn-message.ts";
import type { Spool } from "../spool/spool.ts";
import { type FailureState, openState } from "../state.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { failuresAfter, type KeptFailure } from "./failure-events.ts";
import { createNotices } from "./notices.ts";
import { renderAbout } from "./return-keys.ts";

const T0 = 1_800_000_000;
const HOUR = 3600;
const DAY = 86_400;
const BOB: Mailbox = { localPart: "bob", domain: "source.test" };
const ALICE: Mailbox = { localPart: "alice", domain: "ours.test" };
const SRS: Mailbox = { localPart: "SRS0=x", domain: "ours.test" };
const TRACE = "Received: by mx.ours.test\r\n";

interface Acts {
  leadsTo: LeadsTo;
  sign: SignMessage;
  put: (put: Spool["put"]) => Spool["put"];
}

async function scene(t: TestContext, changed: Partial<Acts> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "homing-notices-"));
  const clock = createFakeClock();
  const now = (): number => T0 + Math.floor(clock.now() / 1000);
  const state = await openState({ folder, maxAgeDays: 21, now, minFreeOctets: 0 });
  const { spool, failures } = state;
  const acts: Acts = {
    leadsTo: async (mailbox) => [{ mailbox, stays: false }],
    sign: NOT_SIGNED,
    put: (put) => put,
    ...changed,
  };
  const events: ForwarderEvent[] = [];
  const failed: unknown[] = [];
  let ids = 0;
  let queued = 0;
  const notices = createNotices({
    ...{ hostname: "mx.ours.test", failures, life: DAY, now, clock },
    spool: { ...spool, put: (...all) => acts.put(spool.put)(...all) },
    leadsTo: (address) => acts.leadsTo(address),
    sign: (octets) => acts.sign(octets),
    traceOf: () => TRACE,
    newId: () => `n${++ids}`,
    report: (event) => events.push(event),
    queued: () => queued++,
    failed: (error) => failed.push(error),
  });
  t.after(async () => {
    const closed = notices.close();
    clock.advance(10_000);
    await closed;
    await state.close();
    await rm(folder, { recursive: true });
  });
  notices.start();
  const pass = async (seconds: number): Promise<void> => {
    for (const part of [seconds - 1, 1]) {
      clock.advance(part * 1000);
      // The spool answers in order, and nothing here takes more turns.
      for (let turns = 0; turns < 40; turns++) await failures.notes.find("nothing", "nothing", 0);
    }
  };
  await pass(1);
  return {
    ...{ notices, clock, failures, events, failed, pass, acts },
    queued: () => queued,
    /** Messages in the queue, as texts. */
    async told(): Promise<readonly { to: string; trace: string; text: string }[]> {
      const jobs = await spool.claim({ now: now(), leaseUntil: now() + DAY, limit: 100 });
      return await Promise.all(
        jobs.map(async ({ message, recipient }) => ({
          to: renderMailbox(recipient.mailbox),
          trace: recipient.trace,
          text: String(await wholeContent(message.content)),
        })),
      );
    },
    async logged(): Promise<readonly KeptFailure[]> {
      const logged: KeptFailure[] = [];
      for await (const failure of failuresAfter(failures.notes)) logged.push(failure);
      return logged;
    },
    /** Folds so many more than are told one by one. */
    async fold(
      sort: "bounces" | "own" | "double",
      count: number,
      more: { alias?: Mailbox | undefined; isCountedElsewhere?: boolean } = {},
    ) {
      const { alias, isCountedElsewhere } = { alias: ALICE, isCountedElsewhere: sort === "own", ...more };
      const srs = sort === "bounces" ? SRS : undefined;
      const about = renderAbout({
        ...{ to: BOB, srs, alias, enhanced: "5.1.1", class: "hard" },
        ...{ isForOwner: false, isCountedElsewhere },
      } as const);
      for (let nth = 0; nth < AT_ONCE[sort] + count; nth++)
        await spend(failures, sort, about, `<${nth - AT_ONCE[sort]}@source.test>`, now());
    },
  };
}

const AT_ONCE = { bounces: 5, own: 20, double: 0 };

async function spend(
  failures: FailureState,
  sort: "bounces" | "own" | "double",
  about: string,
  messageId: string,
  now: number,
): Promise<void> {
  await failures[sort].spend({ key: "k", about, messageId }, now, (_, notes) => failures.notes.change(notes));
}

test("what was folded is told within half a minute after its hour, with all Message-IDs and one event", async (t) => {
  const { fold, pass, told, logged, queued, events } = await scene(t);
  await fold("bounces", 3);
  await pass(HOUR - 30);
  assert.deepEqual([await told(), queued()], [[], 0]);
  await pass(60);
  const [notice, ...others] = await told();
  assert.deepEqual([others, queued()], [[], 1]);
  assert.deepEqual([notice?.to, notice?.trace], ["bob@source.test", TRACE]);
  assert.match(String(notice?.text), /^Subject: 3 further mails of yours could not be delivered\r$/m);
  assert.match(String(notice?.text), /^Final-Recipient: rfc822; alice@ours\.test\r$/m);
  for (const id of ["<0@source.test>", "<1@source.test>", "<2@source.test>"])
    assert.ok(notice?.text.includes(id), id);
  const [{ event, ...facts } = assert.fail()] = events;
  assert.deepEqual([event, facts], ["notice", { id: "n1", to: "bob@source.test", count: 3 }]);
  const [failure] = await logged();
  assert.deepEqual(
    [failure?.id, failure?.alias, failure?.count, failure?.trustworthy],
    ["n1", "alice@ours.test", 3, false],
  );
  await pass(3 * HOUR);
  assert.equal((await told()).length, 0);
});

test("an alias that nobody knows is not named", async (t) => {
  const { fold, pass, told } = await scene(t);
  await fold("bounces", 1, { alias: undefined });
  await pass(HOUR + 60);
  const [notice] = await told();
  assert.match(String(notice?.text), /^Final-Recipient: x-homing; withheld\r$/m);
});

test("failures of our own have their events already, and no bounce of theirs comes to an SRS address", async (t) => {
  const { fold, pass, told, logged } = await scene(t);
  await fold("own", 2);
  await pass(HOUR + 60);
  const [notice] = await told();
  assert.deepEqual([notice?.to, notice?.trace], ["bob@source.test", ""]);
  assert.deepEqual(await logged(), []);
});

test("of a bounce that two are told of, one notice alone is in the log of failures", async (t) => {
  const { fold, pass, told, logged } = await scene(t);
  await fold("bounces", 2, { isCountedElsewhere: true });
  await pass(HOUR + 60);
  assert.equal((await told()).length, 1);
  assert.deepEqual(await logged(), []);
});

test("while nobody knows where a notice goes it waits; of one that goes nowhere the log alone tells, once", async (t) => {
  const { fold, pass, told, acts, events, logged } = await scene(t, { leadsTo: async () => "later" });
  await fold("bounces", 2);
  await pass(HOUR + 60);
  await pass(HOUR);
  assert.deepEqual([events, await logged()], [[], []]);
  acts.leadsTo = async () => [];
  await pass(60);
  await pass(HOUR);
  assert.deepEqual(events, [{ event: "nobody-told", id: "", count: 2, to: "bob@source.test" }]);
  assert.equal((await logged())[0]?.count, 2);
  assert.deepEqual(await told(), []);
});

test("a notice that cannot be made keeps none of another sort waiting, and is told when it can be", async (t) => {
  const isBounces = (octets: Buffer): boolean => octets.includes("Subject: 7 further");
  const { fold, pass, told, acts, failed } = await scene(t, {
    async sign(octets) {
      if (isBounces(octets)) throw new Error("no key");
      return octets;
    },
  });
  await fold("bounces", 7);
  await fold("own", 1);
  await fold("double", 1);
  await pass(DAY + 60);
  const subjects = async () =>
    (await told()).map(({ text }) => /^Subject: (.*)\r$/m.exec(text)?.[1]).toSorted();
  assert.deepEqual(await subjects(), [
    "1 bounce could not be delivered to anybody",
    "1 further mail of yours could not be delivered",
  ]);
  assert.match(String(failed[0]), /1 notices could not be told/);
  acts.sign = NOT_SIGNED;
  await pass(60);
  assert.deepEqual(await subjects(), ["7 further mails of yours could not be delivered"]);
});

test("a disk that stays full keeps nobody from ending, and the notice is there after the next start", async (t) => {
  const { fold, pass, notices, clock, failures } = await scene(t, {
    put: () => () => new Promise(() => {}),
  });
  await fold("bounces", 1);
  await pass(HOUR + 60);
  let isClosed = false;
  const closed = notices.close().then(() => {
    isClosed = true;
  });
  await new Promise(setImmediate);
  assert.equal(isClosed, false, "it may yet be stored");
  clock.advance(5000);
  await closed;
  assert.equal(await failures.bounces.nextDue(T0 + HOUR), T0 + HOUR + 1);
});

test("after its end nothing is told, and no timer is left", async (t) => {
  const { fold, notices, pass, told, clock } = await scene(t);
  await fold("bounces", 1);
  await notices.close();
  assert.equal(clock.timers, 0);
  await pass(2 * HOUR);
  assert.deepEqual(await told(), []);
});
