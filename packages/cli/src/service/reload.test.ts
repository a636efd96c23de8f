import assert from "node:assert/strict";
import { test } from "node:test";
import { createReloader } from "./reload.ts";

function scene() {
  const told: string[] = [];
  let release: () => void = () => {};
  let fails = false;
  let reads = 0;
  const reloader = createReloader<number>({
    async read() {
      reads++;
      const turn = reads;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
      if (fails) throw new Error("a mistake");
      return turn;
    },
    apply: (tables) => told.push(`applied ${tables}`),
    failed: (cause, error) => told.push(`${cause}: ${(error as Error).message}`),
    done: (cause, tables) => told.push(`${cause}: done ${tables}`),
  });
  const step = async (): Promise<void> => {
    release();
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return {
    told,
    reloader,
    step,
    reads: () => reads,
    fail: (how: boolean) => {
      fails = how;
    },
  };
}

test("a reload reads, then applies, then tells", async () => {
  const { reloader, told, step } = scene();
  reloader.request("signal");
  assert.deepEqual(told, []);
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["applied 1", "signal: done 1"]);
});

test("a thousand requests during a reload are one more reload, which sees the last change", async () => {
  const { reloader, told, step, reads } = scene();
  for (let request = 0; request < 1000; request++) reloader.request(request === 999 ? "file" : "signal");
  assert.equal(reads(), 1);
  await step();
  assert.equal(reads(), 2);
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["applied 1", "signal: done 1", "applied 2", "file: done 2"]);
});

test("after a mistake the old tables stay, and the next reload is tried", async () => {
  const { reloader, told, step, fail } = scene();
  fail(true);
  reloader.request("file");
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["file: a mistake"]);
  fail(false);
  reloader.request("signal");
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["file: a mistake", "applied 2", "signal: done 2"]);
});
