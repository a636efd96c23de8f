import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { givesBackSpentMemory } from "./spent-memory.ts";

const MB = 1024 * 1024;

function fill(count: number): Buffer[] {
  return Array.from({ length: count }, () => Buffer.alloc(MB, 1));
}

test("what nobody needs is given back before V8 would look, and what is in use stays", async () => {
  const before = process.memoryUsage().arrayBuffers;
  givesBackSpentMemory();
  const kept = fill(10);
  fill(45);
  assert.ok(process.memoryUsage().arrayBuffers - before > 50 * MB);
  for (let waits = 0; waits < 100 && process.memoryUsage().arrayBuffers - before > 12 * MB; waits++)
    await sleep(20);
  const left = process.memoryUsage().arrayBuffers - before;
  assert.ok(left <= 12 * MB, `${Math.round(left / MB)} MB are left`);
  assert.ok(kept.every((one) => one[0] === 1 && one.length === MB));
});
