// Octets of messages that nobody needs any more, outside of V8's heap. V8 lets 64 MB of them gather in each thread before it
// looks, and what was in use at that moment stays until the next time: 50 clients with 100 KB each took some 60 MB for
// nothing, in one thread alone. Looking sooner costs a few milliseconds each. Called by `homing serve` and its threads.
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_MS = 50;

/** @param gatheredOctets when so many are spent, they are given back */
export function givesBackSpentMemory(gatheredOctets: number): void {
  // The flag makes the function; there is no other way to it while a program runs.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const external = (): number => getHeapStatistics().external_memory;
  setInterval(createLook({ gatheredOctets, external, collect }), LOOK_MS).unref();
}

/** One look: collects where much has gathered since there was least, or since the last time. */
export function createLook({
  gatheredOctets,
  external,
  collect,
}: {
  readonly gatheredOctets: number;
  readonly external: () => number;
  readonly collect: () => void;
}): () => void {
  let inUse = external();
  return () => {
    const now = external();
    inUse = Math.min(inUse, now);
    if (now - inUse < gatheredOctets) return;
    collect();
    inUse = external();
  };
}
