import assert from "node:assert/strict";
import { test } from "node:test";
import { createReloader, type ReloadOutcome } from "./reload.ts";

function scene() {
  const told: string[] = [];
  let release: (outcome: ReloadOutcome<number>) => void = () => {};
  let reads = 0;
  const unwanted: AbortSignal[] = [];
  const reloader = createReloader<number>({
    async read(_cause, signal) {
      reads++;
      unwanted.push(signal);
      return await new Promise((resolve) => {
        release = resolve;
      });
    },
    taken: (cause, tables) => told.push(`${cause}: took ${tables}`),
    refused: (cause, problems) => told.push(`${cause}: ${problems.join("; ")}`),
  });
  const step = async (outcome?: ReloadOutcome<number>): Promise<void> => {
    release(outcome ?? { kind: "read", tables: reads });
    for (let turn = 0; turn < 10; turn++) await Promise.resolve();
  };
  return { told, reloader, step, unwanted, reads: () => reads };
}

test("a reload reads, then swaps and tells", async () => {
  const { reloader, told, step } = scene();
  reloader.request("signal");
  assert.deepEqual(told, []);
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["signal: took 1"]);
});

test("a thousand requests during a reload are one more reload, which sees the last change", async () => {
  const { reloader, told, step, reads } = scene();
  for (let request = 0; request < 1000; request++) reloader.request(request === 500 ? "signal" : "file");
  assert.equal(reads(), 1);
  await step();
  assert.equal(reads(), 2);
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["file: took 1", "signal: took 2"], "an operator's word is not lost among changes");
});

test("a signal ends the waiting for a file; a further change does not", async () => {
  const { reloader, told, step, unwanted } = scene();
  reloader.request("file");
  reloader.request("file");
  assert.equal(unwanted[0]?.aborted, false);
  reloader.request("signal");
  assert.equal(unwanted[0]?.aborted, true);
  await step({ kind: "nothing" });
  assert.equal(unwanted[1]?.aborted, false);
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["signal: took 2"]);
});

test("after a mistake the old tables stay, and the next reload is tried", async () => {
  const { reloader, told, step } = scene();
  reloader.request("file");
  await step({ kind: "wrong", problems: ["a mistake", "another"] });
  await reloader.idle();
  assert.deepEqual(told, ["file: a mistake; another"]);
  reloader.request("signal");
  await step();
  await reloader.idle();
  assert.deepEqual(told, ["file: a mistake; another", "signal: took 2"]);
});

test("after the end nothing is read, and what was being read is not taken", async () => {
  const { reloader, told, step, unwanted, reads } = scene();
  reloader.request("file");
  reloader.close();
  assert.equal(unwanted[0]?.aborted, true);
  reloader.request("signal");
  await step();
  await reloader.idle();
  assert.deepEqual(told, []);
  assert.equal(reads(), 1);
});
