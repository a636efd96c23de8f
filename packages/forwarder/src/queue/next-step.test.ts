import assert from "node:assert/strict";
import { test } from "node:test";
import type { Delivery } from "../deliver.ts";
import {
  type NextStep,
  nextStep,
  type Outcome,
  PUT_OFF_GRACE_SECONDS,
  type PutOff,
  QUEUE_TIMES,
  retryDelay,
  type Standing,
  type StepWorld,
} from "./next-step.ts";

const RECEIVED = 1_800_000_000;
const DAY = 86_400;
const STANDING: Standing = { received: RECEIVED, expires: RECEIVED + 345_600, delayTold: false };
const HOP = { hop: "192.0.2.1:25", detail: "" };
const DELIVERED: Delivery = { kind: "delivered", ...HOP };
const LATER: Delivery = { kind: "failed", code: 451, enhanced: "4.2.1", ...HOP };
const NEVER: Delivery = { kind: "failed", code: 550, enhanced: "5.2.2", ...HOP };

const BUSY: PutOff = { kind: "put-off", cause: "no connection was free" };
const putOff = (after: number, tellDelay = false): NextStep => ({
  kind: "put-off",
  due: RECEIVED + after,
  tellDelay,
});
const worldAt = (after: number): StepWorld => ({
  now: RECEIVED + after,
  random: 0.5,
  times: QUEUE_TIMES,
  startedAt: RECEIVED,
  isStopping: false,
});
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
  ["what was not tried is tried soon", BUSY, 10, {}, putOff(20)],
  ["of what was not tried for four hours the sender is told", BUSY, 14_400, {}, putOff(14_410, true)],
  ["and told once, too", BUSY, 14_400, { delayTold: true }, putOff(14_410)],
  ["and not behind its expiry", BUSY, 345_600, {}, putOff(345_610)],
  [
    "what was not tried is tried for an hour behind its expiry",
    BUSY,
    349_199,
    { delayTold: true },
    putOff(349_209),
  ],
  ["and is given up then", BUSY, 349_200, { delayTold: true }, { kind: "give-up", enhanced: "4.4.7" }],
];
for (const [what, outcome, after, changed, step] of steps) {
  test(what, () => {
    assert.deepEqual(nextStep({ ...STANDING, ...changed }, outcome, worldAt(after)), step);
  });
}

test("after the service was down for long, what was not tried has an hour from its start", () => {
  const startedAt = RECEIVED + 10 * DAY;
  const stepAt = (after: number) => nextStep(STANDING, BUSY, { ...worldAt(after), startedAt });
  assert.deepEqual(stepAt(10 * DAY + 3599), putOff(10 * DAY + 3609));
  assert.deepEqual(stepAt(10 * DAY + 3600), { kind: "give-up", enhanced: "4.4.7" });
});

test("what the end of the service cuts is neither told of nor given up, whatever the time", () => {
  for (const after of [14_400, 400_000])
    assert.deepEqual(
      nextStep(STANDING, BUSY, { ...worldAt(after), isStopping: true }),
      putOff(after + 10),
      `after ${after} s`,
    );
});

test("the wait doubles up to its limit, and varies by a quarter", () => {
  const ages = [0, 300, 600, 1200, 2400, 4800];
  const plain = ages.map((age) => retryDelay(age, 0.5, QUEUE_TIMES));
  assert.deepEqual(plain, [300, 300, 600, 1200, 2400, 3600]);
  assert.equal(retryDelay(0, 0, QUEUE_TIMES), 225);
  assert.equal(retryDelay(0, 0.999_999, QUEUE_TIMES), 375);
  assert.equal(retryDelay(0, 0, { firstRetry: 1, maxRetry: 1 }), 1);
  assert.equal(retryDelay(-DAY, 0.5, QUEUE_TIMES), 300, "a clock that was set back");
});

test("mail and its DSN live less than seven days together, as long as a BATV tag, also where both are always put off", () => {
  assert.ok(QUEUE_TIMES.mail + QUEUE_TIMES.dsn + 2 * PUT_OFF_GRACE_SECONDS < 7 * 86_400);
});
