import assert from "node:assert/strict";
import { test } from "node:test";
import { createLook, givesBackSpentMemory } from "./spent-memory.ts";

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

test("V8 has the function that collects", () => {
  givesBackSpentMemory(32 * MB);
});
