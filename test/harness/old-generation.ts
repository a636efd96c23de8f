// Loaded with `--import` by short-lived.test.ts into a service: at each SIGUSR2 it writes to stderr how many octets of its main
// thread's heap are in V8's old generation.
import process from "node:process";
import { getHeapSpaceStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { isMainThread } from "node:worker_threads";

if (isMainThread) {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as (options?: { type: "minor" }) => void;
  let wasAsked = false;
  process.on("SIGUSR2", () => {
    // Everything once; from then on the young alone: whatever outlives two of these is old.
    if (wasAsked) for (let time = 0; time < 2; time++) collect({ type: "minor" });
    else collect();
    wasAsked = true;
    process.stderr.write(`old generation: ${oldOctets()}\n`);
  });
}

function oldOctets(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === "old_space")?.space_used_size ?? 0;
}
