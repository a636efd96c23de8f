import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { createLook } from "./spent-memory.ts";
import type { ObedientTrade } from "./testing/obedient-thread.ts";
import { ThreadPool } from "./thread-pool.ts";

const MB = 1024 * 1024;

/** A heap whose octets are in use, or spent until somebody collects. */
function heap(inUse: number) {
  const memory = { inUse, spent: 0, collected: 0 };
  const look = createLook({
    gatheredOctets: 32 * MB,
    external: () => memory.inUse + memory.spent,
    collect() {
      memory.collected++;
      memory.spent = 0;
    },
  });
  return { memory, look };
}

test("what is spent is given back when 32 MB have gathered, and again after the next 32", () => {
  const { memory, look } = heap(10 * MB);
  for (let round = 1; round <= 100; round++) {
    memory.spent += MB;
    look();
  }
  assert.equal(memory.collected, 3);
});

test("what is in use is not looked for again and again", () => {
  const { memory, look } = heap(0);
  memory.inUse = 200 * MB;
  for (let round = 0; round < 100; round++) look();
  assert.equal(memory.collected, 1);
  memory.spent = 40 * MB;
  look();
  assert.equal(memory.collected, 2);
});

test("after less was in use, what gathers is measured from there", () => {
  const { memory, look } = heap(100 * MB);
  memory.inUse = 10 * MB;
  look();
  memory.spent = 33 * MB;
  look();
  assert.equal(memory.collected, 1);
});

test("a thread gives back what its jobs have spent, where V8's collector is at hand", async (t) => {
  setFlagsFromString("--expose-gc");
  const code = new URL("./testing/obedient-thread.ts", import.meta.url);
  const pool = new ThreadPool<ObedientTrade>({ name: "obedient", code, threads: 1, maxWaiting: 1 });
  t.after(() => pool.close());
  const tell = (work: string) => pool.run({ work, input: () => ({ whole: Buffer.from("hello") }) });
  let most = 0;
  for (let job = 1; job <= 60; job++) {
    await tell("spends");
    if (job % 4 === 0) await setTimeout(60);
    most = Math.max(most, Number(await tell("external")));
  }
  // V8 itself would look at 64.
  assert.ok(most < 30, `${most} MB`);
});
