import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../deliver.ts";
import {
  type NextStep,
  nextStep,
  type Outcome,
  QUEUE_TIMES,
  retryDelay,
  type Standing,
} from "./next-step.ts";

const RECEIVED = 1_800_000_000;
const DAY = 86_400;
const STANDING: Standing = { received: RECEIVED, expires: RECEIVED + 345_600, delayTold: false };
const HOP = { hop: "192.0.2.1:25", detail: "" };
const DELIVERED: Delivery = { kind: "delivered", ...HOP };
const LATER: Delivery = { kind: "failed", code: 451, enhanced: "4.2.1", ...HOP };
const NEVER: Delivery = { kind: "failed", code: 550, enhanced: "5.2.2", ...HOP };

const BUSY: Outcome = { kind: "put-off", cause: "no connection was free" };
const steps: [what: string, outcome: Outcome, after: number, changed: Partial<Standing>, step: NextStep][] = [
  ["a delivery is the end", DELIVERED, 10, {}, { kind: "done" }],
  ["a delivery after the last day is one", DELIVERED, 345_601, {}, { kind: "done" }],
  ["a refusal is the end, with its code", NEVER, 10, {}, { kind: "give-up", enhanced: "5.2.2" }],
  ["a deferral is tried again", LATER, 10, {}, { kind: "retry", due: RECEIVED + 10 + 300, tellDelay: false }],
  [
    "later deferrals wait longer",
    LATER,
    1200,
    {},
    { kind: "retry", due: RECEIVED + 1200 + 1200, tellDelay: false },
  ],
  [
    "after four hours the sender is told",
    LATER,
    14_400,
    {},
    { kind: "retry", due: RECEIVED + 14_400 + 3600, tellDelay: true },
  ],
  [
    "and told once",
    LATER,
    14_400,
    { delayTold: true },
    { kind: "retry", due: RECEIVED + 14_400 + 3600, tellDelay: false },
  ],
  [
    "the last attempt is at the end of its life",
    LATER,
    345_000,
    { delayTold: true },
    { kind: "retry", due: RECEIVED + 345_600, tellDelay: false },
  ],
  ["a deferral at the end is the end", LATER, 345_600, {}, { kind: "give-up", enhanced: "4.4.7" }],
  ["what was not tried is tried soon", BUSY, 10, {}, { kind: "put-off", due: RECEIVED + 20 }],
  ["and is not too late, whenever", BUSY, 400_000, {}, { kind: "put-off", due: RECEIVED + 400_010 }],
];
for (const [what, outcome, after, changed, step] of steps) {
  test(what, () => {
    const world = { now: RECEIVED + after, random: 0.5, times: QUEUE_TIMES };
    assert.deepEqual(nextStep({ ...STANDING, ...changed }, outcome, world), step);
  });
}

test("the wait doubles up to its limit, and varies by a quarter", () => {
  const ages = [0, 300, 600, 1200, 2400, 4800];
  const plain = ages.map((age) => retryDelay(age, 0.5, QUEUE_TIMES));
  assert.deepEqual(plain, [300, 300, 600, 1200, 2400, 3600]);
  assert.equal(retryDelay(0, 0, QUEUE_TIMES), 225);
  assert.equal(retryDelay(0, 0.999_999, QUEUE_TIMES), 375);
  assert.equal(retryDelay(0, 0, { firstRetry: 1, maxRetry: 1 }), 1);
  assert.equal(retryDelay(-DAY, 0.5, QUEUE_TIMES), 300, "a clock that was set back");
});

test("mail and its DSN live less than seven days together, as long as a BATV tag", () => {
  assert.ok(QUEUE_TIMES.mail + QUEUE_TIMES.dsn < 7 * 86_400);
});
