import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { Worker } from "node:worker_threads";
import { type YoungLimits, youngGeneration } from "./young-generation.ts";

/** Makes what survives, and tells how large the young generation became. */
const SURVIVORS = `
  const { parentPort } = require("node:worker_threads");
  const { getHeapSpaceStatistics } = require("node:v8");
  let kept = [];
  for (let round = 0; round < 3000; round++) {
    kept.push(Array.from({ length: 1000 }, (_, at) => ({ at })));
    if (kept.length > 100) kept = [];
  }
  const young = getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
  parentPort.postMessage(young.space_size / 1024 / 1024);
`;

async function megabytes(resourceLimits: YoungLimits | Record<string, never>): Promise<number> {
  const worker = new Worker(SURVIVORS, { eval: true, resourceLimits });
  const [size] = (await once(worker, "message")) as [number];
  await worker.terminate();
  return size;
}

for (const mib of [1, 4]) {
  test(`a thread of ${mib} MiB keeps its size, however fast V8 lets others grow`, async () => {
    const limits = youngGeneration(mib);
    setFlagsFromString("--semi-space-growth-factor=8");
    assert.equal(await megabytes(limits), 2 * mib);
    assert.ok((await megabytes({})) > 2 * mib);
  });
}
