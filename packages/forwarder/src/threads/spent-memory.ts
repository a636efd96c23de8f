// Octets of messages that nobody needs any more, outside of V8's heap. V8 lets 64 MB of them gather in each thread before it
// looks, and what was in use at that moment stays until the next time: 50 clients with 100 KB each took some 60 MB for
// nothing, in one thread alone. Looking sooner costs about ten milliseconds each. Called by `homing serve` for its main
// thread, and by smtp-thread.ts and serve-jobs.ts for theirs.
import { getHeapStatistics } from "node:v8";

export interface SpentMemory {
  /** So much may gather. V8 counts what was collected only a moment later: what comes until then is on top. */
  readonly gatheredOctets: number;
  /** Octets outside of the heap, in use or spent. */
  readonly external: () => number;
  readonly collect: () => void;
}

/** Beside the heap of a thread, 6 to 16 MB, it is no second one; two messages of 100 KB in each millisecond fill it in 40. */
const THREAD_OCTETS = 8 * 1024 * 1024;
const LOOK_MS = 50;

export function externalOctets(): number {
  return getHeapStatistics().external_memory;
}

/**
 * For a thread, to be called whenever it hears of something: one that is idle spends nothing. Looks every 50 ms at most, and
 * only where V8's collector is at hand, as `homing serve` makes it, or `--expose-gc`.
 */
export function createThreadLook(): () => void {
  const { gc } = globalThis;
  if (!gc) return () => {};
  const look = createLook({
    gatheredOctets: THREAD_OCTETS,
    external: externalOctets,
    collect: () => void gc(),
  });
  let last = performance.now();
  return () => {
    const now = performance.now();
    if (now - last < LOOK_MS) return;
    last = now;
    look();
  };
}

/** One look: collects where much has gathered since there was least, or since the last time. */
export function createLook({ gatheredOctets, external, collect }: SpentMemory): () => void {
  let inUse = external();
  return () => {
    const now = external();
    inUse = Math.min(inUse, now);
    if (now - inUse < gatheredOctets) return;
    collect();
    inUse = external();
  };
}
