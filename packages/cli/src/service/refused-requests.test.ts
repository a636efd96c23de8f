import assert from "node:assert/strict";
import { test } from "node:test";
import { createRefusalLog } from "./refused-requests.ts";

const LIMIT = { site: "cards", problem: "limit-user", status: 429, client: "192.0.2.1" } as const;
const STRANGER = { problem: "unauthorized", status: 401, client: "192.0.2.9" } as const;

function scene() {
  const events: object[] = [];
  let now = 1_000_000;
  const wait = (ms: number): void => {
    now += ms;
  };
  const refused = createRefusalLog(
    (event) => events.push(event),
    () => now,
  );
  return { events, refused, wait };
}

test("a request that is refused is one line", () => {
  const { events, refused } = scene();
  refused(LIMIT);
  refused(STRANGER);
  assert.deepEqual(events, [
    { event: "http-refused", ...LIMIT },
    { event: "http-refused", ...STRANGER },
  ]);
});

test("of one problem of one site there is one line a second, which counts those left out before", () => {
  const { events, refused, wait } = scene();
  for (let at = 0; at < 2500; at++) {
    refused(LIMIT);
    wait(1);
  }
  assert.deepEqual(events, [
    { event: "http-refused", ...LIMIT },
    { event: "http-refused", ...LIMIT, leftOut: 999 },
    { event: "http-refused", ...LIMIT, leftOut: 999 },
  ]);
});

test("another problem, another site and a stranger are not left out", () => {
  const { events, refused } = scene();
  refused(LIMIT);
  refused({ ...LIMIT, site: "forum" });
  refused({ ...LIMIT, problem: "limit-site" });
  refused({ problem: "limit-user", status: 429, client: "192.0.2.1" });
  assert.equal(events.length, 4);
});

test("a clock that is set back silences nothing", () => {
  const { events, refused, wait } = scene();
  refused(LIMIT);
  wait(-3_600_000);
  refused(LIMIT);
  assert.equal(events.length, 2);
});
