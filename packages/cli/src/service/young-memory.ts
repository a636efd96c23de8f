// V8's young generation, at a size of our own. It would grow to three times 16 MB, and what it holds of messages in native
// memory is not counted: with messages of 100 KB V8 clears the whole heap every few dozens of them, which is half of all
// work. At 4 MB the young are cleared often, cheaply, and the rest is hardly ever touched.
// The size is a start option of Node; a program can only stop the growth. Called by `homing serve`.
import { performance } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Both halves of it. */
const WANTED_OCTETS = 8 * 1024 * 1024;
/** V8 takes memory away in quiet times. */
const LOOK_MS = 5000;
/** Of a core: who does less does not need it. */
const BUSY = 0.2;
/** Each round is a fraction of a megabyte that lives long enough to be counted. */
const MAX_ROUNDS = 1000;

export function youngOctets(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
}

/** Grows it at once, some milliseconds; a V8 that does not is left as it is. */
export function growYoungMemory(): void {
  setFlagsFromString("--semi-space-growth-factor=4");
  for (let round = 0; round < MAX_ROUNDS && youngOctets() < WANTED_OCTETS; round++) {
    // What survives is what makes it grow.
    Array.from({ length: 2000 }, (_, at) => [at]);
  }
  setFlagsFromString("--semi-space-growth-factor=1");
}

/** Now, and whenever it shrank and there is work again. */
export function keepYoungMemory(): void {
  growYoungMemory();
  let before = performance.eventLoopUtilization();
  setInterval(() => {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, before);
    before = now;
    if (utilization > BUSY && youngOctets() < WANTED_OCTETS) growYoungMemory();
  }, LOOK_MS).unref();
}
