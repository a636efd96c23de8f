import assert from "node:assert/strict";
import { test } from "node:test";
import { createFakeClock } from "../testing/fake-clock.ts";
import { within } from "./within.ts";

test("work that ends in time is waited for, and leaves no timer", async () => {
  const clock = createFakeClock();
  await within(clock, 5, Promise.resolve());
  await within(clock, 5, undefined);
  await assert.rejects(within(clock, 5, Promise.reject(new Error("a bug"))), /a bug/);
  assert.equal(clock.timers, 0);
});

test("work that does not end is left when the time is over", async () => {
  const clock = createFakeClock();
  let isOver = false;
  const waited = within(clock, 5, new Promise(() => {})).then(() => {
    isOver = true;
  });
  clock.advance(4999);
  await new Promise(setImmediate);
  assert.equal(isOver, false);
  clock.advance(1);
  await waited;
});
