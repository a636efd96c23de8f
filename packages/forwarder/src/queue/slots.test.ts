import assert from "node:assert/strict";
import { test } from "node:test";
import { createSlots } from "./slots.ts";

test("a domain has its own limit, whatever its case, and all have one together", () => {
  const slots = createSlots({ total: 3, perDomain: 2 });
  assert.ok(slots.take("A.test"));
  assert.ok(slots.take("a.Test"));
  assert.ok(!slots.take("a.test"));
  assert.ok(slots.take("b.test"));
  assert.ok(!slots.take("c.test"));
  assert.equal(slots.free(), 0);

  slots.give("a.test");
  assert.equal(slots.free(), 1);
  assert.ok(slots.take("c.test"));
});

test("what nobody took cannot be given back", () => {
  const slots = createSlots({ total: 1, perDomain: 1 });
  assert.throws(() => slots.give("a.test"), /nobody has/);
});
