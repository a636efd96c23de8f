// V8's young generation, at a size of our own. What outlives two of its collections becomes old, and waits for one of the whole
// heap. A busy service takes 85 KB of it for each message, and each is over after some forty milliseconds: 16 MB are full that
// often, 8 MB twice as often. Left alone it is small for long, and grows further in the end.
// The size is a start option of Node; a program can only steer the growth. Called by `homing serve`.
import { performance } from "node:perf_hooks";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";

/** Both halves of it. */
const WANTED_OCTETS = 16 * 1024 * 1024;
/** V8 chooses a size of its own in quiet times, and multiplies it by a whole number. */
const ENOUGH_OCTETS = 12 * 1024 * 1024;
/** V8 takes memory away in quiet times. Five seconds of work with what is left made 70 MB old that were over in time. */
const LOOK_MS = 250;
/** Of a core, at two looks in a row: who does less does not need it. */
const BUSY = 0.2;
/** Each round is an eighth of a megabyte. */
const MAX_ROUNDS = 200;
/** Of so many rounds: two megabytes, which live long enough to be counted. */
const SURVIVORS = 16;

export function youngOctets(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size ?? 0;
}

/** Grows it at once, some milliseconds. @returns false for a V8 that does not, which takes a tenth of a second to see */
export function growYoungMemory(): boolean {
  // What survives is what makes it grow.
  let survivors: unknown[] = [];
  for (let round = 0; round < MAX_ROUNDS && youngOctets() < ENOUGH_OCTETS; round++) {
    setFlagsFromString(`--semi-space-growth-factor=${growthFactor(youngOctets())}`);
    if (survivors.length === SURVIVORS) survivors = [];
    survivors.push(Array.from({ length: 2000 }, (_, at) => [at]));
  }
  setFlagsFromString("--semi-space-growth-factor=1");
  return youngOctets() >= ENOUGH_OCTETS;
}

/** Of a small one, one half is there at first. */
function growthFactor(octets: number): number {
  return Math.min(Math.max(2, Math.floor(WANTED_OCTETS / 2 / octets)), 8);
}

/** Now, and whenever it shrank and there is work again. One that cannot grow (`--max-semi-space-size`) is left as it is. */
export function keepYoungMemory(): void {
  if (!growYoungMemory()) return;
  let before = performance.eventLoopUtilization();
  let wasBusy = false;
  const looks = setInterval(() => {
    const now = performance.eventLoopUtilization();
    const isBusy = performance.eventLoopUtilization(now, before).utilization > BUSY;
    if (wasBusy && isBusy && youngOctets() < ENOUGH_OCTETS && !growYoungMemory()) clearInterval(looks);
    before = now;
    wasBusy = isBusy;
  }, LOOK_MS).unref();
}
