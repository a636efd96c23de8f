import assert from "node:assert/strict";
import { test } from "node:test";
import { dayStamp, isDayStamp, stampAgeDays } from "./day-stamp.ts";

const DAY = 86_400;

test("the stamp changes at midnight UTC, and wraps after 1,024 days", () => {
  assert.equal(dayStamp(0), "AA");
  assert.equal(dayStamp(DAY - 1), "AA");
  assert.equal(dayStamp(DAY), "AB");
  assert.equal(dayStamp(1023 * DAY), "77");
  assert.equal(dayStamp(1024 * DAY), "AA");
  assert.equal(dayStamp(1_700_000_000), "G3");
});

test("the days before 1970 have stamps, too: they count down from the last", () => {
  assert.equal(dayStamp(-1), "77");
  assert.equal(dayStamp(-DAY), "77");
  assert.equal(dayStamp(-DAY - 1), "76");
  assert.equal(dayStamp(-1024 * DAY), "AA");
  assert.equal(dayStamp(-1025 * DAY), "77");
  assert.equal(stampAgeDays("77", 0), 1);
  assert.equal(stampAgeDays("AA", -DAY), -1);
});

test("the age counts days across the wrap, in either case", () => {
  assert.equal(stampAgeDays("77", 1024 * DAY), 1);
  assert.equal(stampAgeDays("aa", 1023 * DAY), -1);
  for (const age of [-512, -1, 0, 21, 511]) {
    assert.equal(stampAgeDays(dayStamp(5000 * DAY - age * DAY), 5000 * DAY), age);
  }
});

test("only two base32 characters are a stamp", () => {
  for (const text of ["", "A", "AAA", "A1", "A=", "Ä"]) assert.equal(isDayStamp(text), false, text);
});
