// V8's compilers work with memory of the C library, which does not come back once it lies below something that stays. Maglev, the
// one for the middle tier, takes most of it where it inlines: in the first second of load, some 10 MB and more. Turbofan, which
// follows it for whatever is hot, inlines all the same. Called by `homing serve`, before there is load.
import { setFlagsFromString } from "node:v8";

export function savesCompilerMemory(): void {
  setFlagsFromString("--no-maglev-inlining");
}
