// Counts of 24 hours: in memory, so that requests at the same time cannot pass a limit together, and in the storage, so that a
// restart forgets nothing. Called by admissions.ts.
import type { UnixSeconds } from "@homing/srs-core";
import { away } from "../away.ts";
import { type ProblemType, type Refused, refused } from "../problem.ts";
import type { Fact, OnBehalfStore } from "../store.ts";
import { type Spent, spend, unspend, WINDOW, waitFor } from "./window.ts";

/** What is counted, and how much of it may be. */
export interface Count {
  /** Among all counts. */
  readonly key: string;
  readonly limit: number;
  readonly problem: ProblemType;
  readonly detail: string;
  readonly field?: string;
}

export interface Counters {
  /** One of each, or of none. A key may stand there several times: several addresses of one person. */
  take(counts: readonly Count[], now: UnixSeconds): Promise<Taken | Refused>;
}

export interface Taken {
  readonly ok: true;
  /** As of now: ask when the transaction begins, for others count meanwhile. */
  facts(): readonly Fact[];
  /** `unknown`: the storage went away in the middle of it. Once. */
  settle(outcome: "done" | "undone" | "unknown"): void;
}

interface Counter {
  readonly key: string;
  spent: Spent;
  loading: Promise<"loaded" | "away"> | undefined;
  /** Requests that have it in their hands. */
  holders: number;
  /** Memory may differ from the storage: to be read again when nobody holds it. */
  stale: boolean;
}

/** In memory, some 200 octets each: those used last. */
const KEPT_COUNTERS = 20_000;
/** So many are looked at for one that nobody holds. */
const LOOKED_AT = 16;

export function createCounters(store: Pick<OnBehalfStore, "find">): Counters {
  const kept = new Map<string, Counter>();

  const hold = (key: string): Counter => {
    const counter = kept.get(key) ?? { key, spent: [], loading: undefined, holders: 0, stale: false };
    counter.holders++;
    // The last place is the one used last.
    kept.delete(key);
    kept.set(key, counter);
    forgetOldest(kept);
    return counter;
  };
  const letGo = (counters: readonly Counter[]): void => {
    for (const counter of counters) {
      counter.holders--;
      if (counter.holders === 0 && counter.stale) kept.delete(counter.key);
    }
  };

  return {
    async take(counts, now) {
      const held = counts.map((count) => ({ count, counter: hold(count.key) }));
      const counters = held.map(({ counter }) => counter);
      const loaded = await Promise.all(counters.map((counter) => load(store, counter, now)));
      if (loaded.includes("away")) {
        letGo(counters);
        return away();
      }
      // From here to the end of this turn nothing waits: two requests cannot both see the last free place.
      const passed = held.map(({ count, counter }, place) => {
        const before = counters.slice(0, place).filter((one) => one === counter).length;
        return { count, wait: waitFor(counter.spent, count.limit - before, now) };
      });
      const first = passed.find(({ wait }) => wait > 0)?.count;
      if (first) {
        letGo(counters);
        return tooMany(first, Math.max(...passed.map(({ wait }) => wait)));
      }
      for (const counter of counters) counter.spent = spend(counter.spent, now);
      return taken(counters, now, letGo);
    },
  };
}

function taken(
  counters: readonly Counter[],
  now: UnixSeconds,
  letGo: (counters: readonly Counter[]) => void,
): Taken {
  let settled = false;
  return {
    ok: true,
    facts: () =>
      [...new Set(counters)].map(({ key, spent }) => ({
        of: "ob-count",
        key,
        value: JSON.stringify(spent),
        expires: now + WINDOW,
      })),
    settle(outcome) {
      if (settled) return;
      settled = true;
      for (const counter of counters) {
        if (outcome !== "done") counter.spent = unspend(counter.spent, now);
        if (outcome === "unknown") counter.stale = true;
      }
      letGo(counters);
    },
  };
}

async function load(
  store: Pick<OnBehalfStore, "find">,
  counter: Counter,
  now: UnixSeconds,
): Promise<"loaded" | "away"> {
  counter.loading ??= store.find({ of: "ob-count", key: counter.key }, now).then((fact) => {
    if (fact === "away") {
      counter.loading = undefined;
      return "away";
    }
    if (fact) counter.spent = JSON.parse(fact.value) as Spent;
    return "loaded";
  });
  return counter.loading;
}

function forgetOldest(kept: Map<string, Counter>): void {
  if (kept.size <= KEPT_COUNTERS) return;
  let looked = 0;
  for (const counter of kept.values()) {
    if (counter.holders === 0) {
      kept.delete(counter.key);
      return;
    }
    if (++looked === LOOKED_AT) return;
  }
}

function tooMany({ problem, detail, field }: Count, retryAfter: number): Refused {
  const hint = "wait: Retry-After says how long";
  return refused(problem, detail, { ...(field !== undefined && { field }), hint, retryAfter });
}
