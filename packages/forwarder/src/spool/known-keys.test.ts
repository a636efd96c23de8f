import assert from "node:assert/strict";
import { test } from "node:test";
import { createKnownKeys } from "./known-keys.ts";

test("every key may be there until all are known, and whatever was added may be there for ever", () => {
  const keys = createKnownKeys();
  assert.ok(keys.mayBe("a"));
  const added = Array.from(
    { length: 5000 },
    (_, nth) => `["G3","ipr35x","ours.test","source${nth % 7}.test","bob${nth}"]`,
  );
  for (const key of added.slice(0, 2500)) keys.add(key);
  keys.complete();
  for (const key of added.slice(2500)) keys.add(key);
  assert.ok(added.every((key) => keys.mayBe(key)));
});

test("of keys that were not added, hardly any may be there", () => {
  const keys = createKnownKeys();
  for (let nth = 0; nth < 100_000; nth++) keys.add(`failed ${nth}`);
  keys.complete();
  let wrong = 0;
  for (let nth = 0; nth < 10_000; nth++) if (keys.mayBe(`failed ${nth + 1_000_000}`)) wrong++;
  assert.ok(wrong < 100, `${wrong} of 10,000`);
});
