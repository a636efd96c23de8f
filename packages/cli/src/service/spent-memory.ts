// Octets of messages that nobody needs any more, outside of V8's heap. V8 lets 64 MB of them gather before it looks, and what
// was in use at that moment stays until the next time: 50 clients with 100 KB each took some 60 MB for nothing. Looking
// sooner costs a few milliseconds each. Called by `homing serve`.
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

const LOOK_MS = 50;
const MAX_GATHERED_OCTETS = 32 * 1024 * 1024;

export function givesBackSpentMemory(): void {
  // The flag makes the function; there is no other way to it while a program runs.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setInterval(createLook({ external: () => getHeapStatistics().external_memory, collect }), LOOK_MS).unref();
}

/** One look: collects where much has gathered since there was least, or since the last time. */
export function createLook({
  external,
  collect,
}: {
  readonly external: () => number;
  readonly collect: () => void;
}): () => void {
  let inUse = external();
  return () => {
    const now = external();
    inUse = Math.min(inUse, now);
    if (now - inUse < MAX_GATHERED_OCTETS) return;
    collect();
    inUse = external();
  };
}
