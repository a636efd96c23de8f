// The queue: what is taken, tried, tried again and written down. Its DSNs: queue-dsns.test.ts; who waits for whom:
// queue-slots.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryContent } from "@homing/mail";
import type { Delivery } from "../deliver.ts";
import { openSpool } from "../spool/open-spool.ts";
import type { NewMessage } from "../spool/spool.ts";
import { type Outcome, QUEUE_TIMES } from "./next-step.ts";
import type { Queue } from "./queue.ts";
import {
  DAY,
  DELIVERED,
  LATER,
  message,
  NEVER,
  START,
  scene,
  settled,
  temporaryFolder,
} from "./testing/queue-scene.ts";

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

const BUSY: Outcome = { kind: "put-off", cause: "no connection was free" };

test("an attempt for which no connection was free counts for nothing, even after the last day, for an hour", async (t) => {
  let busy = 2;
  const { queue, spool, served, events, attempts, pass } = await scene(t, () =>
    busy-- > 0 ? BUSY : DELIVERED,
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

test("mail that never finds a free connection is told of and given up in its time, with the status it failed with before", async (t) => {
  for (const [first, status] of [
    [LATER, "4.2.1"],
    [BUSY, "4.3.2"],
  ] as const) {
    const { queue, spool, served, events, attempts, pass } = await scene(t, ({ target, at }) => {
      if (target === "bob@origin.test") return DELIVERED;
      return at === 0 ? first : BUSY;
    });
    await queue.take(message(["a@home.test"]));
    await attempts(1);
    await pass(QUEUE_TIMES.delayNotice + 60);
    await pass(QUEUE_TIMES.mail - QUEUE_TIMES.delayNotice + 1740);
    assert.equal(
      events.filter(({ event }) => event === "given-up").length,
      0,
      "half an hour behind its expiry",
    );
    await pass(3600);
    const told = served.filter(({ target }) => target === "bob@origin.test");
    assert.deepEqual(
      told.map(({ text }) => /Action: (\w+)\r\nStatus: ([\d.]+)/.exec(text)?.slice(1)),
      [
        ["delayed", status],
        ["failed", "4.4.7"],
      ],
    );
    // No server said anything just now.
    for (const { text } of told)
      assert.doesNotMatch(text, /Diagnostic-Code|home\.test|no connection|greylisted/);
    assert.equal(events.filter(({ event }) => event === "given-up").length, 1);
    assert.deepEqual(await spool.list({ limit: 10 }), []);
  }
});

test("mail that expired while no connection was free is not given up by the end of the service", async (t) => {
  const folder = await temporaryFolder(t);
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const { queue, spool, served, events, pass } = await scene(t, () => promise, { folder });
  await queue.take({ ...message(["a@home.test"]), expires: START });
  for (let tries = 0; tries < 1000 && served.length === 0; tries++) await sleep(2);
  await pass(DAY);
  const closed = queue.close();
  resolve(BUSY);
  await closed;
  const [entry] = await spool.list({ limit: 10 });
  assert.deepEqual(
    entry?.recipients.map(({ due, leasedUntil }) => ({ due, leasedUntil })),
    [{ due: START + DAY + 10, leasedUntil: undefined }],
  );
  assert.deepEqual(events, []);
});

const attempted: [which: string, running: boolean][] = [
  ["of the queue's own", false],
  ["that ran already", true],
];
for (const [which, running] of attempted) {
  test(`an attempt ${which} that a bug ends is a failure of ours: told, tried again, and given up at the end`, async (t) => {
    const told: unknown[] = [];
    const { queue, spool, served, events, attempts, pass } = await scene(
      t,
      ({ target }) => (target === "bob@origin.test" ? DELIVERED : Promise.reject(new Error("a bug"))),
      { failed: (error) => told.push(error) },
    );
    const { promise, reject } = Promise.withResolvers<Outcome>();
    await queue.take(message(["a@home.test"]), running ? [promise] : []);
    if (running) reject(new Error("a bug"));
    else await attempts(1);
    await settled(spool);
    assert.match(String(told), /a bug/);
    const [entry] = await spool.list({ limit: 10 });
    const [recipient] = entry?.recipients ?? [];
    assert.deepEqual(
      [recipient?.due, recipient?.leasedUntil, recipient?.lastFailure],
      [
        START + QUEUE_TIMES.firstRetry,
        undefined,
        { code: 451, enhanced: "4.3.0", detail: "a local error, which is in the log" },
      ],
    );
    await pass(QUEUE_TIMES.delayNotice + 60);
    await pass(QUEUE_TIMES.mail);
    const dsns = served.filter(({ target }) => target === "bob@origin.test");
    assert.deepEqual(
      dsns.map(({ text }) => /Action: (\w+)\r\nStatus: ([\d.]+)/.exec(text)?.slice(1)),
      [
        ["delayed", "4.3.0"],
        ["failed", "4.4.7"],
      ],
    );
    assert.ok(events.some(({ event }) => event === "given-up"));
    assert.deepEqual(await spool.list({ limit: 10 }), []);
  });
}

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
