import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Spent, spend, unspend, WINDOW, waitFor } from "./window.ts";

const NOW = 1_800_000_000;

function spentAt(...times: readonly number[]): Spent {
  return times.reduce<Spent>((spent, time) => spend(spent, time), []);
}

test("one within the limit need not wait, one beyond it waits for the end of the oldest", () => {
  const spent = spentAt(NOW, NOW + 10, NOW + 20);
  assert.equal(waitFor(spent, 4, NOW + 20), 0);
  assert.equal(waitFor(spent, 3, NOW + 20), WINDOW - 20);
  assert.equal(waitFor(spent, 2, NOW + 20), WINDOW - 10);
  assert.equal(waitFor(spent, 3, NOW + WINDOW - 1), 1);
  assert.equal(waitFor(spent, 3, NOW + WINDOW), 0);
});

test("where nothing is allowed, nobody need ask before tomorrow", () => {
  assert.equal(waitFor([], 0, NOW), WINDOW);
});

test("what is taken back was not spent", () => {
  const spent = spentAt(NOW, NOW + 5);
  assert.equal(waitFor(unspend(spent, NOW), 2, NOW + 5), 0);
  assert.deepEqual(unspend(unspend(spent, NOW), NOW + 5), []);
  assert.deepEqual(unspend([], NOW), []);
});

test("in no 24 hours more than the limit, and what is said of waiting is true; however much was spent, it stays short", () => {
  const steps = fc.array(fc.oneof(fc.nat(60), fc.nat(5000), fc.nat(WINDOW)), { maxLength: 300 });
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 200 }), (gaps, limit) => {
      let spent: Spent = [];
      const allowed: number[] = [];
      let now = NOW;
      for (const gap of gaps) {
        now += gap;
        const wait = waitFor(spent, limit, now);
        if (wait === 0) {
          spent = spend(spent, now);
          allowed.push(now);
        } else {
          assert.ok(waitFor(spent, limit, now + wait - 1) > 0);
          assert.equal(waitFor(spent, limit, now + wait), 0);
        }
        assert.ok(allowed.filter((time) => time + WINDOW > now).length <= limit);
        assert.ok(spent.length <= 100);
      }
    }),
    { numRuns: 300 },
  );
});

test("10,000 of one day are remembered in some 1,000 octets, and the 10,001st waits", () => {
  let spent: Spent = [];
  for (let count = 0; count < 10_000; count++) spent = spend(spent, NOW + count * 8);
  const now = NOW + 80_000;
  assert.ok(JSON.stringify(spent).length < 2000);
  const wait = waitFor(spent, 10_000, now);
  // To half an hour, as long as there are many.
  assert.ok(wait >= WINDOW - 80_000 && wait <= WINDOW - 80_000 + 1800, String(wait));
});
