// What became of an attempt cannot be written down: its lease ends all the same, as soon as the spool does its part again.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Spool } from "../spool/spool.ts";
import { type Outcome, QUEUE_TIMES } from "./next-step.ts";
import {
  DAY,
  DELIVERED,
  LATER,
  message,
  NEVER,
  type Scene,
  START,
  scene,
  settled,
} from "./testing/queue-scene.ts";

interface Broken extends Scene {
  /** What the queue was told of. */
  readonly told: readonly string[];
  /** Times of what was asked of the spool to settle a recipient, in seconds from the start. */
  readonly asked: readonly number[];
}

/** A message whose first attempt ends so, with a spool that refuses to settle anything, so many times. */
async function brokenSpool(t: TestContext, outcome: Outcome, times: number): Promise<Broken> {
  const told: string[] = [];
  const asked: number[] = [];
  let left = times;
  let first = true;
  const orFails =
    <Given extends readonly unknown[]>(settle: (...given: Given) => Promise<boolean>) =>
    async (...given: Given): Promise<boolean> => {
      asked.push(made.now() - START);
      if (left-- > 0) throw new Error("no transaction");
      return await settle(...given);
    };
  const made = await scene(
    t,
    () => {
      const now = first ? outcome : DELIVERED;
      first = false;
      return now;
    },
    {
      failed: (error) => told.push(String(error)),
      broken: ({ done, retry, fail }: Spool) => ({
        done: orFails(done),
        retry: orFails(retry),
        fail: orFails(fail),
      }),
    },
  );
  await made.queue.take(message(["a@home.test"]));
  await made.attempts(1);
  return { ...made, told, asked };
}

for (const outcome of [LATER, NEVER]) {
  test(`what ended with ${outcome.code} and could not be written down is due again, and tried then`, async (t) => {
    const { spool, served, told, attempts, pass } = await brokenSpool(t, outcome, 1);
    assert.deepEqual(told, ["Error: no transaction"]);
    const [entry] = await spool.list({ limit: 10 });
    assert.deepEqual(
      entry?.recipients.map(({ due, leasedUntil }) => ({ due, leasedUntil })),
      [{ due: START + 300, leasedUntil: undefined }],
    );
    await pass(310);
    await attempts(2);
    assert.equal(served.length, 2);
    assert.deepEqual(await spool.list({ limit: 10 }), []);
  });
}

test("what was delivered and could not be written down is over, and gets no second copy", async (t) => {
  const { queue, spool, served, told } = await brokenSpool(t, DELIVERED, 1);
  assert.deepEqual(told, ["Error: no transaction"]);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
  await queue.close();
  assert.equal(served.length, 1);
});

test("a spool that fails for an hour is asked again, later and later, until the lease has ended", async (t) => {
  const { spool, served, asked, told, attempts, pass } = await brokenSpool(t, LATER, 5);
  for (const seconds of [10, 60, 600, 3600, 3600]) await pass(seconds);
  await attempts(2);
  assert.deepEqual(asked.slice(0, 6), [0, 0, 10, 70, 670, 4270]);
  assert.equal(told.length, 5);
  assert.equal(served.length, 2);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("a spool that never settles anything is asked for a day, and no longer; the service can end meanwhile", async (t) => {
  const { asked, pass } = await brokenSpool(t, LATER, Number.POSITIVE_INFINITY);
  for (let passed = 0; passed < 3 * 24; passed++) await pass(3600);
  assert.equal(asked.length, 8);
  const ending = await brokenSpool(t, LATER, Number.POSITIVE_INFINITY);
  await settled(ending.spool);
  await ending.queue.close();
  assert.deepEqual(ending.asked, [0, 0]);
});

/** A spool that takes no end of a recipient with which somebody is told. */
async function nobodyCanBeTold(t: TestContext, outcome: Outcome | Promise<Outcome>): Promise<Scene> {
  return await scene(t, () => outcome, {
    failed: (error) => assert.match(String(error), /a bug in the DSN/),
    broken: ({ fail }: Spool) => ({
      async fail(lease, dsn, notes) {
        if (dsn || notes) throw new Error("a bug in the DSN");
        return await fail(lease);
      },
    }),
  });
}

for (const { outcome, enhanced } of [
  { outcome: LATER, enhanced: "4.4.7" },
  { outcome: NEVER, enhanced: NEVER.enhanced },
]) {
  test(`a message whose end with ${outcome.code} can never be told is given up a day behind its expiry, and the log says so`, async (t) => {
    const { queue, spool, served, events, attempts, pass } = await nobodyCanBeTold(t, outcome);
    await queue.take(message(["a@home.test"]));
    await attempts(1);
    await pass(QUEUE_TIMES.mail + DAY - 600);
    await attempts(2);
    assert.equal((await spool.list({ limit: 10 })).length, 1);
    for (let hour = 0; hour < 12; hour++) await pass(3700);
    assert.equal(served.length, 3);
    assert.deepEqual(await spool.list({ limit: 10 }), []);
    const names = { id: "m1", target: "a@home.test" };
    assert.deepEqual(
      events.filter(({ event }) => event !== "deferred"),
      [
        { event: "given-up", ...names, attempts: 3, enhanced },
        { event: "nobody-told", ...names, to: "bob@origin.test" },
      ],
    );
  });
}

test("what expired while the service was down is given up so no earlier than a day behind its start", async (t) => {
  const { queue, spool, attempts, pass } = await nobodyCanBeTold(t, NEVER);
  const received = START - 10 * DAY;
  await queue.take({ ...message(["a@home.test"]), received, expires: received + QUEUE_TIMES.mail });
  await attempts(1);
  await pass(DAY - 600);
  await attempts(2);
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  await pass(3700);
  await attempts(3);
  assert.deepEqual(await spool.list({ limit: 10 }), []);
});

test("what ends so with the service is not given up: it is tried once more", async (t) => {
  const hop = Promise.withResolvers<Outcome>();
  const { queue, spool, events, pass } = await nobodyCanBeTold(t, hop.promise);
  await queue.take(message(["a@home.test"]));
  await pass(QUEUE_TIMES.mail + 2 * DAY);
  const closed = queue.close();
  hop.resolve(NEVER);
  await closed;
  assert.equal((await spool.list({ limit: 10 })).length, 1);
  assert.deepEqual(events, []);
});
