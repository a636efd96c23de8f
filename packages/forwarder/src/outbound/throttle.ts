// How many connections a server takes, as far as its answers tell: half of them after a 421 or 4.7.x, one more
// with each success. Called by destination.ts.

export interface Throttle {
  /** Connections that may be busy now. */
  readonly limit: number;
  /** Jobs of the spool leave the server alone until then, by the clock. */
  readonly pausedUntil: number;
  succeeded(): void;
  pushedBack(now: number): void;
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;

/** @param random 0 ≤ n < 1: a pause lasts between half of its time and all of it, so that not everybody returns at once */
export function createThrottle(maxConnections: number, random: () => number): Throttle {
  let limit = maxConnections;
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let pauseMs = FIRST_PAUSE_MS;
  return {
    get limit() {
      return limit;
    },
    get pausedUntil() {
      return pausedUntil;
    },
    succeeded() {
      limit = Math.min(limit + 1, maxConnections);
      pauseMs = FIRST_PAUSE_MS;
    },
    pushedBack(now) {
      // Connections that were under way say the same thing again.
      if (now < pausedUntil) return;
      limit = Math.max(Math.floor(limit / 2), 1);
      pausedUntil = now + pauseMs * (0.5 + random() / 2);
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    },
  };
}
