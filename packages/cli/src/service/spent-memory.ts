// The service gives back the memory of messages that are over, in its main thread and in all others:
// packages/forwarder/src/threads/spent-memory.ts says why. Called by `homing serve`, before it starts a thread.
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { createLook, externalOctets } from "@homing/forwarder";

const LOOK_MS = 50;
/** With 32 MB, 50 clients with 100 KB each took some 15 MB more, and a twentieth less CPU time. */
const SPENT_OCTETS = 20 * 1024 * 1024;

export function givesBackSpentMemory(): void {
  // The flag makes the function, here in a new context and in each new thread; there is no other way to it while a program runs.
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  setInterval(
    createLook({ gatheredOctets: SPENT_OCTETS, external: externalOctets, collect }),
    LOOK_MS,
  ).unref();
}
