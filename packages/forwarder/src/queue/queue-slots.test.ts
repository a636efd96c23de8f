// Attempts at a time, in all and for a domain: what has none waits in memory, or on the disk, and nothing is served twice.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { memoryContent } from "@homing/mail";
import type { Delivery } from "../deliver.ts";
import { openSpool } from "../spool/open-spool.ts";
import type { NewMessage } from "../spool/spool.ts";
import { DELIVERED, message, scene, temporaryFolder } from "./testing/queue-scene.ts";

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
  // 2 MB of one domain, and its two attempts.
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
