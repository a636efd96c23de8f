// What was spent in the last 24 hours, at any moment: not by calendar day, for whoever waits for midnight would have twice as
// much. Pure. Called by counters.ts.
import type { UnixSeconds } from "@homing/srs-core";

export const WINDOW = 86_400;

/** Moments, oldest first, each with how many were counted then. */
export type Spent = readonly (readonly [at: UnixSeconds, count: number])[];

/** Beyond so many entries, those of the same half hour become one, at its newest: never too much, and 10,000 are short. */
const EXACT_ENTRIES = 48;
const SLOT = 1800;

export function spend(spent: Spent, now: UnixSeconds): Spent {
  const live = alive(spent, now);
  const last = live.at(-1);
  const joins = last && live.length >= EXACT_ENTRIES && slotOf(last[0]) === slotOf(now);
  return joins ? [...live.slice(0, -1), [Math.max(now, last[0]), last[1] + 1]] : [...live, [now, 1]];
}

/** Takes one back that was counted at a moment. */
export function unspend(spent: Spent, at: UnixSeconds): Spent {
  const place = spent.findLastIndex(([time]) => time === at || slotOf(time) === slotOf(at));
  return spent.flatMap(([time, count], index) => {
    const left = index === place ? count - 1 : count;
    return left > 0 ? [[time, left] as const] : [];
  });
}

/** Seconds until one more is within the limit; 0: now. */
export function waitFor(spent: Spent, limit: number, now: UnixSeconds): number {
  const live = alive(spent, now);
  let excess = live.reduce((sum, [, count]) => sum + count, 0) + 1 - limit;
  if (excess <= 0) return 0;
  for (const [time, count] of live) {
    excess -= count;
    if (excess <= 0) return Math.max(1, time + WINDOW - now);
  }
  // A limit of 0: it is never possible, and nobody need ask before tomorrow.
  return WINDOW;
}

function alive(spent: Spent, now: UnixSeconds): Spent {
  return spent.filter(([time]) => time + WINDOW > now);
}

function slotOf(time: UnixSeconds): number {
  return Math.floor(time / SLOT);
}
