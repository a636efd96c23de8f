import assert from "node:assert/strict";
import { getPriority } from "node:os";
import { test } from "node:test";
import { Worker } from "node:worker_threads";

/** The priority that a thread has after so many calls. */
async function inThread(calls: number): Promise<number> {
  const code = `
    import { getPriority } from "node:os";
    import { parentPort } from "node:worker_threads";
    import { goBehindClients } from ${JSON.stringify(new URL("./thread-priority.ts", import.meta.url).href)};
    for (let call = 0; call < ${calls}; call++) goBehindClients();
    parentPort.postMessage(getPriority(0));
  `;
  const thread = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`));
  return await new Promise<number>((resolve, reject) => {
    thread.once("message", resolve);
    thread.once("error", reject);
  });
}

// Elsewhere threads have no priority of their own.
const STEPS = process.platform === "linux" ? 5 : 0;

test("a thread goes behind, and the others stay where they are", async () => {
  const before = getPriority(0);
  assert.equal(await inThread(0), before);
  assert.equal(await inThread(1), Math.min(before + STEPS, 19));
  assert.equal(getPriority(0), before);
});

test("one that is far behind goes as far as there is", async () => {
  assert.equal(await inThread(9), STEPS === 0 ? getPriority(0) : 19);
});
