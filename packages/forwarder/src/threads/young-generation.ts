// V8's young generation in a thread, of one size for good. How fast it grows is one number for all threads of a process, and
// the main thread turns it up for moments to have more itself (`homing serve`): whoever collected then would grow as well.
// Called by whoever starts a thread.
import { setFlagsFromString } from "node:v8";

export interface YoungLimits {
  readonly maxYoungGenerationSizeMb: number;
}

/** For the thread that is started next. @param mib of one of its two halves; V8 counts a third for what is large */
export function youngGeneration(mib: number): YoungLimits {
  setFlagsFromString(`--min-semi-space-size=${mib}`);
  return { maxYoungGenerationSizeMb: 3 * mib };
}
