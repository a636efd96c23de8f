import assert from "node:assert/strict";
import { test } from "node:test";
import { createCache } from "./cache.ts";

const LARGE = { entries: 1_000, octets: 1_000_000 };

test("an answer is there until its end, and not at it", () => {
  const cache = createCache<string>(LARGE);
  cache.set("a", "1", { until: 100, size: 1 });
  assert.equal(cache.get("a", 99), "1");
  assert.equal(cache.get("a", 100), undefined);
  assert.deepEqual([cache.entries, cache.octets], [0, 0]);
});

test("beyond its number of entries, the oldest goes", () => {
  const cache = createCache<number>({ ...LARGE, entries: 2 });
  for (const [at, key] of ["a", "b", "c"].entries()) cache.set(key, at, { until: 100, size: 1 });
  assert.deepEqual(
    ["a", "b", "c"].map((key) => cache.get(key, 0)),
    [undefined, 1, 2],
  );
});

test("an answer that comes again is the youngest", () => {
  const cache = createCache<number>({ ...LARGE, entries: 2 });
  for (const key of ["a", "b", "a", "c"]) cache.set(key, 1, { until: 100, size: 1 });
  assert.deepEqual([cache.get("a", 0), cache.get("b", 0)], [1, undefined]);
});

test("beyond its octets, the oldest go until it fits, and what is larger than all is not kept", () => {
  const cache = createCache<number>({ ...LARGE, octets: 10_000 });
  for (let at = 0; at < 50; at++) cache.set(`k${at}`, at, { until: 100, size: 1_000 });
  assert.ok(cache.octets <= 10_000 && cache.octets > 8_000);
  assert.equal(cache.get("k49", 0), 49);
  assert.equal(cache.get("k0", 0), undefined);
  cache.set("huge", 1, { until: 100, size: 20_000 });
  assert.deepEqual([cache.entries, cache.octets], [0, 0]);
});
