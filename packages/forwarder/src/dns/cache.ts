// Answers kept for their time: bounded, the oldest out first. Called by dns.ts.

export interface CacheLimits {
  readonly entries: number;
  /** An estimate: characters of keys and values, and OVERHEAD for each entry. */
  readonly octets: number;
}

export interface Cache<T> {
  /** @param now milliseconds */
  get(key: string, now: number): T | undefined;
  /** @param size characters of the value */
  set(key: string, value: T, kept: { readonly until: number; readonly size: number }): void;
  readonly entries: number;
  readonly octets: number;
}

interface Entry<T> {
  readonly value: T;
  readonly until: number;
  readonly octets: number;
}

/** The map's slot, the entry and the answer's objects: about that much in V8. */
const OVERHEAD = 300;

export function createCache<T>(limits: CacheLimits): Cache<T> {
  /** In the order of their coming. */
  const kept = new Map<string, Entry<T>>();
  let octets = 0;

  function drop(key: string): void {
    octets -= kept.get(key)?.octets ?? 0;
    kept.delete(key);
  }

  return {
    get(key, now) {
      const entry = kept.get(key);
      if (entry === undefined) return undefined;
      if (now < entry.until) return entry.value;
      drop(key);
      return undefined;
    },
    set(key, value, { until, size }) {
      drop(key);
      const entry = { value, until, octets: OVERHEAD + key.length + size };
      kept.set(key, entry);
      octets += entry.octets;
      for (const [oldest] of kept) {
        if (kept.size <= limits.entries && octets <= limits.octets) break;
        drop(oldest);
      }
    },
    get entries() {
      return kept.size;
    },
    get octets() {
      return octets;
    },
  };
}
