import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { whenAborted } from "./when-aborted.ts";

test("whoever waits hears of the abort once, and who has left does not", () => {
  const limit = new AbortController();
  const heard: string[] = [];
  whenAborted(limit.signal, () => heard.push("first"));
  whenAborted(limit.signal, () => heard.push("left"))();
  const twice = (): number => heard.push("twice");
  whenAborted(limit.signal, twice);
  whenAborted(limit.signal, twice);
  limit.abort();
  assert.deepEqual(heard, ["first", "twice", "twice"]);
});

test("many who wait are one listener, and none is left when all have gone", () => {
  const { signal } = new AbortController();
  const leave = Array.from({ length: 100 }, () => whenAborted(signal, () => {}));
  assert.equal(getEventListeners(signal, "abort").length, 1);
  for (const go of leave) go();
  assert.equal(getEventListeners(signal, "abort").length, 0);
  whenAborted(signal, () => {});
  assert.equal(getEventListeners(signal, "abort").length, 1);
});

test("one that leaves while others are called is not called", () => {
  const limit = new AbortController();
  const heard: string[] = [];
  let leave = (): void => {};
  whenAborted(limit.signal, () => leave());
  leave = whenAborted(limit.signal, () => heard.push("gone"));
  limit.abort();
  assert.deepEqual(heard, []);
});

test("one that leaves twice leaves nobody else without a listener", () => {
  const { signal } = new AbortController();
  const leave = whenAborted(signal, () => {});
  leave();
  whenAborted(signal, () => {});
  leave();
  whenAborted(signal, () => {});
  assert.equal(getEventListeners(signal, "abort").length, 1);
});
