import assert from "node:assert/strict";
import { test } from "node:test";
import { Presence } from "./presence.ts";

function presence() {
  const heard: string[] = [];
  let gone = false;
  const one = new Presence(() => gone);
  const leaves = (): void => {
    gone = true;
    one.leaves();
  };
  return { one, heard, leaves, note: (what: string) => () => void heard.push(what) };
}

test("who leaves is told of, once, and that settles its message", () => {
  const { one, heard, leaves, note } = presence();
  one.onGone(note("gone"));
  one.onSettled(note("settled"));
  leaves();
  leaves();
  assert.deepEqual(heard, ["gone", "settled"]);
});

test("whoever asks about a client that is gone is called at once", () => {
  const { one, heard, leaves, note } = presence();
  leaves();
  one.onGone(note("gone"));
  assert.deepEqual(heard, ["gone"]);
});

test("behind the answer nobody is told any more that the client leaves", () => {
  const { one, heard, leaves, note } = presence();
  one.onGone(note("gone"));
  one.onSettled(note("settled"));
  one.settle();
  leaves();
  assert.deepEqual(heard, ["settled"]);
});

test("whoever does not want to be called is not", () => {
  const { one, heard, leaves, note } = presence();
  one.onGone(note("gone"))();
  leaves();
  assert.deepEqual(heard, []);
});

test("one that leaves while others are called is not called", () => {
  const { one, heard, leaves, note } = presence();
  let leave = (): void => {};
  one.onGone(() => leave());
  leave = one.onGone(note("gone"));
  leaves();
  assert.deepEqual(heard, []);
});
