import assert from "node:assert/strict";
import { test } from "node:test";
import { remembered, stampDays } from "./stamp-days.ts";

const NOW = 1_700_000_000; // 2023-11-14T22:13:20Z, stamp G3
const DAY = 86_400;

const stamps: [stamp: string, now: number, ageDays: number, date: string, before: string][] = [
  ["G3", NOW, 0, "2023-11-14", "2021-01-24"],
  ["g3", NOW, 0, "2023-11-14", "2021-01-24"],
  ["GR", NOW, 10, "2023-11-04", "2021-01-14"],
  ["G4", NOW, -1, "2023-11-15", "2021-01-25"],
  ["G3", NOW + 511 * DAY, 511, "2023-11-14", "2021-01-24"],
  ["G3", NOW + 512 * DAY, -512, "2026-09-03", "2023-11-14"],
  ["G3", NOW + 1024 * DAY, 0, "2026-09-03", "2023-11-14"],
  ["AA", 0, 0, "1970-01-01", "1967-03-14"],
  ["FA", 253_402_300_799, 0, "9999-12-31", "9997-03-12"],
  ["FB", 253_402_300_799, -1, "+010000-01-01", "9997-03-13"],
  ["AB", 0, -1, "1970-01-02", "1967-03-15"],
];
for (const [stamp, now, ageDays, date, before] of stamps) {
  test(`the stamp ${stamp} at ${now} is ${ageDays} days old`, () => {
    const days = stampDays(stamp, now);
    assert.deepEqual([days.ageDays, days.date, days.before], [ageDays, date, before]);
    assert.equal(new Date(days.noon * 1000).toISOString(), `${date}T12:00:00.000Z`);
  });
}

test("a date is made once, and no more are remembered than the bound", () => {
  const made: number[] = [];
  const dateOf = remembered(2, (day) => {
    made.push(day);
    return `day ${day}`;
  });
  assert.deepEqual([1, 2, 1, 2].map(dateOf), ["day 1", "day 2", "day 1", "day 2"]);
  assert.deepEqual(made, [1, 2]);
  assert.deepEqual([3, 3, 1].map(dateOf), ["day 3", "day 3", "day 1"]);
  assert.deepEqual(made, [1, 2, 3, 1]);
});
