import assert from "node:assert/strict";
import { test } from "node:test";
import { createThrottle } from "./throttle.ts";

test("a push-back halves the limit, down to one; each success gives one back, up to the maximum", () => {
  const throttle = createThrottle(20, () => 0);
  const limits: number[] = [];
  for (let now = 0; limits.length < 6; now += 100_000) {
    throttle.pushedBack(now);
    limits.push(throttle.limit);
  }
  assert.deepEqual(limits, [10, 5, 2, 1, 1, 1]);
  for (let successes = 0; successes < 30; successes++) throttle.succeeded();
  assert.equal(throttle.limit, 20);
});

test("pauses grow from a second to a minute, and a success makes the next one short again", () => {
  const throttle = createThrottle(20, () => 1);
  let now = 0;
  const pause = (): number => {
    now += 1_000_000;
    throttle.pushedBack(now);
    return throttle.pausedUntil - now;
  };
  assert.deepEqual(
    Array.from({ length: 8 }, pause),
    [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000],
  );
  throttle.succeeded();
  assert.equal(pause(), 1_000);
});

test("a pause lasts between half of its time and all of it", () => {
  const early = createThrottle(20, () => 0);
  early.pushedBack(0);
  assert.equal(early.pausedUntil, 500);
});

test("what connections under way say in a pause counts once", () => {
  const throttle = createThrottle(20, () => 1);
  for (let now = 0; now < 1_000; now += 50) throttle.pushedBack(now);
  assert.equal(throttle.limit, 10);
  assert.equal(throttle.pausedUntil, 1_000);
});
