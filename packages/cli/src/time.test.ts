import assert from "node:assert/strict";
import { test } from "node:test";
import { MAX_UNIX_SECONDS, parseTime } from "./time.ts";

const times: [text: string, seconds: number][] = [
  ["0", 0],
  ["1700000000", 1_700_000_000],
  ["2023-11-14T22:13:20Z", 1_700_000_000],
  ["2023-11-14T22:13:20.999Z", 1_700_000_000],
  ["2023-11-14T23:13+01:00", 1_699_999_980],
  ["2023-11-14", 1_699_920_000],
  ["1970-01-01", 0],
  ["9999-12-31T23:59:59Z", MAX_UNIX_SECONDS],
  ["253402300799", MAX_UNIX_SECONDS],
];
for (const [text, seconds] of times) {
  test(`--at ${text} is ${seconds}`, () => assert.equal(parseTime(text), seconds));
}

const refused: [text: string, why: string][] = [
  ["253402300800", "not from 1970 to 9999"],
  ["999999999999", "not from 1970 to 9999"],
  ["9999-12-31T23:59:59-00:01", "not from 1970 to 9999"],
  ["1969-12-31", "not from 1970 to 9999"],
  ["0000-01-01", "not from 1970 to 9999"],
  ["1000000000000", "not a time"],
  ["2023-02-30T25:00Z", "not a time"],
  ["-1", "not a time"],
  ["noon", "not a time"],
  ["", "not a time"],
];
for (const [text, why] of refused) {
  test(`--at ${text} is refused: ${why}`, () => {
    assert.throws(() => parseTime(text), {
      reason: "usage",
      message: `--at ${text}: ${why}: write Unix seconds (1700000000) or ISO 8601 (2023-11-14T22:13:20Z)`,
    });
  });
}
