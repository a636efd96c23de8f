import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createGuessBudget,
  GUESS_LIMITS,
  type Guess,
  type GuessAlarm,
  type GuessLimits,
} from "./guess-budget.ts";
import { createRates } from "./rate.ts";

const MINUTE = 60_000;
const GUESS: Guess = { network: "192.0.2.1", victim: "bob@origin.example", isShort: true };
const LIMITS: GuessLimits = {
  perNetwork: { burst: 3, perMinute: 2 },
  longPerNetwork: { burst: 30, perMinute: 20 },
  perVictim: { burst: 5, perMinute: 2 },
  total: { burst: 8, perMinute: 2 },
};

function budgets(limits?: GuessLimits) {
  const alarms: GuessAlarm[] = [];
  const budget = createGuessBudget((alarm) => alarms.push(alarm), limits);
  /** Tries as often as it may. */
  const guess = (changed: Partial<Guess>, times: number, nowMs = 0): number => {
    const one = { ...GUESS, ...changed };
    let verified = 0;
    for (let count = 0; count < times; count++) {
      if (budget.mustWait(one, nowMs)) continue;
      verified++;
      budget.failed(one, nowMs);
    }
    return verified;
  };
  return { budget, alarms, guess };
}

test("a client has its budget, and gets it back with time", () => {
  const { guess, alarms } = budgets(LIMITS);
  assert.equal(guess({}, 100), 3);
  assert.equal(guess({}, 100, MINUTE / 2), 1);
  assert.equal(guess({}, 100, 10 * MINUTE), 3);
  assert.deepEqual(alarms[0], { budget: "network", network: GUESS.network, victim: GUESS.victim });
});

test("short tags of one victim have a budget, whoever tries; so have all short tags together", () => {
  const { guess, alarms } = budgets(LIMITS);
  const perClient = [1, 2, 3, 4].map((last) => guess({ network: `192.0.2.${last}` }, 100));
  assert.deepEqual(perClient, [3, 2, 0, 0]);
  const others = [5, 6, 7].map((last) =>
    guess({ network: `192.0.2.${last}`, victim: `v${last}@x.example` }, 9),
  );
  assert.deepEqual(others, [3, 0, 0]);
  assert.deepEqual(
    alarms.map(({ budget }) => budget),
    ["network", "victim", "network", "total"],
  );
});

test("a tag that cannot be guessed waits for its own client alone", () => {
  const { budget, guess } = budgets(LIMITS);
  for (let last = 0; last < 100; last++) guess({ network: `192.0.2.${last}` }, 9);
  assert.equal(budget.mustWait({ ...GUESS, network: "198.51.100.1", isShort: true }, 0), true);
  assert.equal(budget.mustWait({ ...GUESS, network: "198.51.100.1", isShort: false }, 0), false);
  assert.equal(guess({ network: "198.51.100.1", isShort: false }, 100), 30);
  assert.equal(budget.mustWait({ ...GUESS, network: "198.51.100.1", isShort: false }, 0), true);
});

test("short tags and long ones of a client do not wait for each other", () => {
  const { budget, guess } = budgets(LIMITS);
  guess({}, 100);
  assert.equal(budget.mustWait({ ...GUESS, isShort: true }, 0), true);
  assert.equal(budget.mustWait({ ...GUESS, isShort: false }, 0), false);
  const others = budgets(LIMITS);
  others.guess({ isShort: false }, 100);
  assert.equal(others.budget.mustWait({ ...GUESS, isShort: false }, 0), true);
  assert.equal(others.budget.mustWait({ ...GUESS, isShort: true }, 0), false);
});

test("as it is set, one client tries 60 tags a minute at most, and there is one alarm a minute", () => {
  const { guess, alarms } = budgets();
  let tried = 0;
  for (let ms = 0; ms < MINUTE; ms += 10) tried += guess({}, 1, ms);
  assert.ok(tried <= 60 && tried >= 20, `${tried} tried`);
  assert.equal(alarms.filter(({ budget }) => budget === "network").length, 1);
});

test("a clock that is set back gives nothing at once, and from then on as much as ever", () => {
  const { guess } = budgets(LIMITS);
  assert.equal(guess({}, 9, 100 * MINUTE), 3);
  assert.equal(guess({}, 9, 0), 0);
  assert.equal(guess({}, 9, MINUTE / 2), 1);
  assert.equal(guess({}, 9, 2 * MINUTE), 3);
});

test("as it is set, one client does not keep the bounces to somebody away, and six do", () => {
  const waits = (clients: number): number => {
    const { budget, guess } = budgets();
    let waited = 0;
    for (let ms = 0; ms < 10 * MINUTE; ms += 1000) {
      for (let last = 0; last < clients; last++) guess({ network: `192.0.2.${last}` }, 1, ms);
      if (budget.mustWait({ ...GUESS, network: "198.51.100.1" }, ms)) waited++;
    }
    return waited;
  };
  assert.equal(waits(1), 0);
  assert.ok(waits(6) > 0);
});

test("as it is set, a client's long tags are refused behind a thousand wrong ones a minute", () => {
  const { guess } = budgets();
  assert.equal(guess({ isShort: false }, 5000), 1000);
  assert.ok(GUESS_LIMITS.longPerNetwork.perMinute >= 1000);
});

test("of too many keys the oldest are forgotten", () => {
  const rates = createRates({ burst: 1, perMinute: 1 }, 2);
  for (const key of ["a", "b", "c"]) rates.take(key, 0);
  assert.deepEqual(
    ["a", "b", "c"].map((key) => rates.isEmpty(key, 0)),
    [false, true, true],
  );
});
