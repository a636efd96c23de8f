import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogInBudget, type LogInLimits } from "./log-in-budget.ts";

const HOUR = 3_600_000;
const LIMITS: LogInLimits = {
  perNetwork: { burst: 3, perHour: 2 },
  perName: { burst: 5, perHour: 2 },
  perPair: { burst: 2, perHour: 1 },
  perKnown: { burst: 4, perHour: 2 },
};

function budgets(maxKeys?: number) {
  const budget = createLogInBudget(LIMITS, maxKeys);
  /** Wrong passwords, as many as may be tried. */
  const guess = (network: string, name: string, times: number, nowMs = 0): number => {
    let tried = 0;
    for (let count = 0; count < times; count++)
      if (typeof budget.take({ network, name }, nowMs) === "object") tried++;
    return tried;
  };
  const logIn = (network: string, name: string, nowMs = 0): boolean => {
    const spent = budget.take({ network, name }, nowMs);
    if (typeof spent === "object") spent.wasRight();
    return typeof spent === "object";
  };
  return { budget, guess, logIn };
}

test("one client may guess so often, whatever names it tries, and again with time", () => {
  const { guess } = budgets();
  assert.equal(guess("192.0.2.1", "alice", 2), 2);
  assert.equal(guess("192.0.2.1", "bob", 100), 1);
  assert.equal(guess("192.0.2.1", "carol", 100, HOUR / 2), 1);
  assert.equal(guess("192.0.2.1", "carol", 100, 100 * HOUR), 3);
  assert.equal(guess("192.0.2.2", "dave", 100), 3, "another one has its own");
});

test("one name may be guessed so often, whoever tries; then each network has a few tries of its own", () => {
  const { guess, budget } = budgets();
  assert.deepEqual(
    [1, 2, 3].map((last) => guess(`192.0.2.${last}`, "alice", 100)),
    [3, 2, 2],
    "what was wrong before counts, and the third has its own",
  );
  assert.equal(budget.take({ network: "192.0.2.3", name: "alice" }, 0), "name");
  assert.equal(guess("192.0.2.3", "bob", 100), 1, "what was refused for the name cost the client nothing");
  assert.equal(guess("192.0.2.3", "alice", 100, HOUR / 2), 1, "the name's is there again with time");
});

test("names that are guessed at all the time are not kept from their owners, wherever they are", () => {
  const { guess, logIn } = budgets();
  for (let minute = 0; minute < 600; minute++) guess(`192.0.2.${minute % 200}`, "alice", 1, minute * 60_000);
  const now = 600 * 60_000;
  assert.ok(guess("203.0.113.1", "alice", 1, now) === 1, "she mistypes it");
  assert.ok(logIn("203.0.113.1", "alice", now));
  assert.ok(logIn("203.0.113.1", "alice", now), "and is known there now");
});

test("whoever has logged in from a network before is not kept out by others who guess", () => {
  const { guess, logIn } = budgets();
  assert.ok(logIn("198.51.100.1", "alice"));
  for (let last = 0; last < 20; last++) guess(`192.0.2.${last}`, "alice", 100);
  assert.ok(logIn("198.51.100.1", "alice"), "from home");
  assert.ok(logIn("203.0.113.1", "alice"), "and from a new place");
  guess("198.51.100.1", "bob", 100);
  assert.ok(logIn("198.51.100.1", "alice"), "nor by others in her own network");
  assert.equal(guess("198.51.100.1", "alice", 100), 4, "who has a budget for her name, too");
});

test("right passwords cost nothing, and neither does what nobody looked at", () => {
  const { budget, logIn, guess } = budgets();
  for (let count = 0; count < 100; count++) assert.ok(logIn("192.0.2.1", "alice"));
  for (let count = 0; count < 100; count++) {
    const spent = budget.take({ network: "192.0.2.2", name: "bob" }, 0);
    if (typeof spent === "object") spent.giveBack();
  }
  assert.equal(guess("192.0.2.2", "bob", 100), 3);
});

test("log-ins at the same time are counted before any of them is answered", () => {
  const { budget } = budgets();
  const all = Array.from({ length: 10 }, () => budget.take({ network: "192.0.2.1", name: "alice" }, 0));
  assert.equal(all.filter((one) => typeof one === "object").length, 3);
  assert.deepEqual(
    all.slice(0, 3).map((one) => typeof one === "object" && one.last),
    [undefined, undefined, "network"],
  );
});

test("a clock that is set back gives nothing, and takes nothing for long", () => {
  const { guess } = budgets();
  assert.equal(guess("192.0.2.1", "alice", 9, 100 * HOUR), 3);
  assert.equal(guess("192.0.2.1", "alice", 9, 0), 0);
  assert.equal(guess("192.0.2.1", "bob", 9, HOUR / 2), 0);
});

test("of more keys than are kept the oldest are forgotten", () => {
  const { guess } = budgets(2);
  for (const network of ["a", "b", "c"]) guess(network, network, 100);
  assert.deepEqual([guess("c", "x", 100), guess("a", "y", 100)], [0, 3]);
});
