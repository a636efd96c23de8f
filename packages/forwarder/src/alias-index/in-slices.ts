// Long work on the main thread in short slices, between which everything else goes on. Called by alias-index.ts.
import { setImmediate as endOfTurn } from "node:timers/promises";

/**
 * What a slice may take: nobody notices it. A million aliases take 1 to 2 s so (`npm run bench:aliases`). A thread that gets
 * their names took no less, and needs the secrets a second time.
 */
const SLICE_MS = 5;

/** @returns undefined where the result was not wanted any more */
export async function inSlices<Result>(
  work: Generator<void, Result>,
  isWanted: () => boolean,
): Promise<Result | undefined> {
  let end = performance.now() + SLICE_MS;
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
    if (performance.now() < end) continue;
    await endOfTurn();
    if (!isWanted()) return undefined;
    end = performance.now() + SLICE_MS;
  }
}
