import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../deliver.ts";
import { outcomeOf, toClient } from "./attempt-copy.ts";

const DELIVERED: Delivery = { kind: "delivered", hop: "hop", detail: "" };
const NO_TIME: Delivery = { kind: "failed", code: 451, enhanced: "4.4.1", hop: "", detail: "time is up" };
const REFUSED: Delivery = { kind: "failed", code: 550, enhanced: "5.1.1", hop: "hop", detail: "gone" };

test("an attempt that the end of the service cut counts for nothing, and a final answer counts all the same", () => {
  assert.deepEqual(outcomeOf(NO_TIME, true), { kind: "put-off", cause: "time is up" });
  for (const final of [DELIVERED, REFUSED]) assert.deepEqual(outcomeOf(final, true), final);
});

test("an attempt that ended by itself is what it was", () => {
  for (const one of [DELIVERED, NO_TIME, REFUSED]) assert.deepEqual(outcomeOf(one, false), one);
});

test("what found no free connection is put off, and its client is told to come again", () => {
  const busy = { kind: "busy", cause: "no connection was free", hasWaited: true } as const;
  const putOff = outcomeOf(busy, false);
  assert.deepEqual(putOff, { kind: "put-off", cause: "no connection was free" });
  for (const one of [busy, putOff])
    assert.deepEqual(toClient(one), {
      ...{ kind: "failed", code: 451, enhanced: "4.3.2", hop: "" },
      detail: "no connection was free",
    });
});
