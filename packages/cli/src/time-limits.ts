// Ends of time as abort signals: those of about the same moment share one, because a busy server begins thousands a second.
// Called by system-world.ts.
import { setMaxListeners } from "node:events";

/** How much later than asked an end may come. */
const GRAIN_MS = 250;

/** @param stopped ends them all */
export function createTimeLimits(now: () => number, stopped?: AbortSignal): (seconds: number) => AbortSignal {
  const latest = new Map<number, { readonly slot: number; readonly signal: AbortSignal }>();
  return (seconds) => {
    const slot = Math.floor(now() / GRAIN_MS);
    const known = latest.get(seconds);
    if (known?.slot === slot) return known.signal;
    const limit = AbortSignal.timeout(seconds * 1000 + GRAIN_MS);
    const signal = stopped ? AbortSignal.any([limit, stopped]) : limit;
    // Each message of this moment listens.
    setMaxListeners(0, signal);
    latest.set(seconds, { slot, signal });
    return signal;
  };
}
