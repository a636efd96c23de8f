// How often something may happen for each of many keys: a bucket of tokens for each, refilled by the clock. Of more keys
// than are kept the oldest are forgotten. Called by guess-budget.ts.

export interface Rate {
  /** At once, after a rest. */
  readonly burst: number;
  readonly perMinute: number;
}

export interface Buckets {
  isEmpty(key: string, nowMs: number): boolean;
  /** Takes a token, if there is one. True if it was the last. */
  take(key: string, nowMs: number): boolean;
}

interface Bucket {
  tokens: number;
  at: number;
}

/** Some 10 MB of keys. */
const MAX_KEYS = 50_000;

export function createBuckets({ burst, perMinute }: Rate, maxKeys = MAX_KEYS): Buckets {
  const buckets = new Map<string, Bucket>();

  const tokensOf = (key: string, nowMs: number): number => {
    const bucket = buckets.get(key);
    if (!bucket) return burst;
    // A clock that was set back refills nothing, and takes nothing.
    const refilled = (Math.max(0, nowMs - bucket.at) / 60_000) * perMinute;
    return Math.min(burst, bucket.tokens + refilled);
  };

  return {
    isEmpty: (key, nowMs) => tokensOf(key, nowMs) < 1,

    take(key, nowMs) {
      const tokens = tokensOf(key, nowMs);
      if (tokens < 1) return false;
      // The one that was used last is the last to be forgotten.
      buckets.delete(key);
      buckets.set(key, { tokens: tokens - 1, at: nowMs });
      if (buckets.size > maxKeys) buckets.delete(buckets.keys().next().value as string);
      return tokens < 2;
    },
  };
}
