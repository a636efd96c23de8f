import assert from "node:assert/strict";
import { test } from "node:test";
import { stampDays } from "./stamp-days.ts";

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
  ["AB", 0, -1, "1970-01-02", "1967-03-15"],
];
for (const [stamp, now, ageDays, date, before] of stamps) {
  test(`the stamp ${stamp} at ${now} is ${ageDays} days old`, () => {
    const days = stampDays(stamp, now);
    assert.deepEqual([days.ageDays, days.date, days.before], [ageDays, date, before]);
    assert.equal(new Date(days.noon * 1000).toISOString(), `${date}T12:00:00.000Z`);
  });
}
