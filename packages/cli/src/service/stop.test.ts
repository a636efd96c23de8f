import assert from "node:assert/strict";
import { test } from "node:test";
import { DELIVERY_GRACE_MS, stopListener } from "./stop.ts";

test("deliveries end 28 s after the stop, before the listener cuts its clients off", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const closed = Promise.withResolvers<void>();
  const deliveries = new AbortController();
  const stopped = stopListener({ close: () => closed.promise }, deliveries);
  t.mock.timers.tick(DELIVERY_GRACE_MS - 1);
  assert.equal(deliveries.signal.aborted, false);
  t.mock.timers.tick(1);
  assert.equal(deliveries.signal.aborted, true);
  closed.resolve();
  await stopped;
});

test("a delivery whose client has gone does not outlive the listener", async () => {
  const deliveries = new AbortController();
  await stopListener({ close: async () => {} }, deliveries);
  assert.equal(deliveries.signal.aborted, true);
});
