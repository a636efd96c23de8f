import assert from "node:assert/strict";
import { test } from "node:test";
import { createTimeLimits } from "./time-limits.ts";

test("limits of the same length and moment are one signal, others are not", () => {
  let now = 1000;
  const timeLimit = createTimeLimits(() => now);
  const first = timeLimit(15);
  now += 100;
  assert.equal(timeLimit(15), first);
  assert.notEqual(timeLimit(240), first);
  now += 200;
  assert.notEqual(timeLimit(15), first);
  assert.equal(first.aborted, false);
});

test("a limit comes after its time, and not before", async () => {
  const began = performance.now();
  const limit = createTimeLimits(() => performance.now())(0.05);
  await new Promise((resolve) => limit.addEventListener("abort", resolve));
  assert.ok(performance.now() - began >= 50);
});

test("all end when the service does", () => {
  const stop = new AbortController();
  const timeLimit = createTimeLimits(() => 0, stop.signal);
  const limits = [timeLimit(15), timeLimit(240)];
  stop.abort();
  assert.ok(limits.every(({ aborted }) => aborted));
});
