import assert from "node:assert/strict";
import { test } from "node:test";
import {
  BOUNCE_ALARM_LIMITS,
  type BounceAlarm,
  type BounceAlarmLimits,
  createBounceAlarms,
} from "./bounce-alarms.ts";

const MINUTE = 60;
const START = 1_800_000_000;
const LIMITS: BounceAlarmLimits = { perDomain: 3, total: 5 };

function scene(limits?: BounceAlarmLimits) {
  const alarms: BounceAlarm[] = [];
  const bounces = createBounceAlarms((alarm) => alarms.push(alarm), limits);
  return {
    alarms,
    count(domain: string, times: number, at = START): void {
      for (let count = 0; count < times; count++) bounces.count(domain, at);
    },
  };
}

test("one bounce more than a domain may have is an alarm, in any case of its letters, and the further ones are none", () => {
  const { alarms, count } = scene({ perDomain: 3, total: 100 });
  count("Origin.test", 2);
  count("origin.TEST", 1);
  assert.deepEqual(alarms, []);
  count("origin.test", 50, START + 59);
  assert.deepEqual(alarms, [{ scope: "domain", domain: "origin.test", perMinute: 4 }]);
});

test("many domains with a few bounces each are an alarm in total alone", () => {
  const { alarms, count } = scene(LIMITS);
  for (const domain of ["a.test", "b.test", "c.test"]) count(domain, 2);
  assert.deepEqual(alarms, [{ scope: "total", perMinute: 6 }]);
});

test("while it lasts there is one alarm a minute, with the figure of the minute before if that was higher", () => {
  const { alarms, count } = scene({ perDomain: 3, total: 1000 });
  count("a.test", 90);
  count("a.test", 30, START + MINUTE);
  count("a.test", 30, START + 2 * MINUTE);
  count("a.test", 30, START + 4 * MINUTE);
  assert.deepEqual(
    alarms.map(({ perMinute }) => perMinute),
    [4, 90, 30, 4],
  );
});

test("what comes slowly is no alarm, however long it lasts, nor is a clock that is set back", () => {
  const { alarms, count } = scene(LIMITS);
  for (let minute = 60; minute > 0; minute--) count("a.test", 3, START + minute * MINUTE);
  assert.deepEqual(alarms, []);
});

test("domains beyond what is kept in a minute count in total, and those that are kept go on to count", () => {
  const { alarms, count } = scene({ perDomain: 3, total: 1_000_000 });
  for (let at = 0; at < 10_000; at++) count(`d${at}.test`, 1);
  count("one-more.test", 9);
  assert.deepEqual(alarms, []);
  count("d7.test", 3);
  assert.deepEqual(alarms, [{ scope: "domain", domain: "d7.test", perMinute: 4 }]);
  count("one-more.test", 9, START + MINUTE);
  assert.equal(alarms.length, 2);
});

test("as it is set, 200 bounces a minute to one domain and 1,000 in all are no alarm", () => {
  const { alarms, count } = scene();
  for (let at = 0; at < 5; at++) count(`d${at}.test`, BOUNCE_ALARM_LIMITS.perDomain);
  assert.deepEqual(alarms, []);
  count("d0.test", 1);
  assert.deepEqual(alarms, [
    { scope: "total", perMinute: 1001 },
    { scope: "domain", domain: "d0.test", perMinute: 201 },
  ]);
});
