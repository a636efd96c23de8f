// How often something may happen for each of many keys: each has tokens, which come back with the clock. Of more keys than
// are kept the oldest are forgotten. Called by guess-budget.ts.

export interface Rate {
  /** At once, after a rest. */
  readonly burst: number;
  readonly perMinute: number;
}

export interface Rates {
  isEmpty(key: string, nowMs: number): boolean;
  /** Takes a token, if there is one. True if it was the last. */
  take(key: string, nowMs: number): boolean;
}

interface Level {
  readonly tokens: number;
  readonly at: number;
}

/** Some 10 MB of keys. */
const MAX_KEYS = 50_000;

export function createRates({ burst, perMinute }: Rate, maxKeys = MAX_KEYS): Rates {
  const levels = new Map<string, Level>();

  const tokensOf = (key: string, nowMs: number): number => {
    const level = levels.get(key);
    if (!level) return burst;
    if (nowMs < level.at) {
      // The clock was set back: nothing comes back for that, and time counts from here. Else nobody passes until it is there again.
      levels.set(key, { tokens: level.tokens, at: nowMs });
      return level.tokens;
    }
    return Math.min(burst, level.tokens + ((nowMs - level.at) / 60_000) * perMinute);
  };

  return {
    isEmpty: (key, nowMs) => tokensOf(key, nowMs) < 1,

    take(key, nowMs) {
      const tokens = tokensOf(key, nowMs);
      if (tokens < 1) return false;
      // The one that was used last is the last to be forgotten.
      levels.delete(key);
      levels.set(key, { tokens: tokens - 1, at: nowMs });
      if (levels.size > maxKeys) levels.delete(levels.keys().next().value as string);
      return tokens < 2;
    },
  };
}
