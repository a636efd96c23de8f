// How much of the cores went to processes that have no part in a run.
// Called by throughput.ts and latency.ts, whose figures are marked beside much of it, and by rounds.ts, which waits.
import { setTimeout as pause } from "node:timers/promises";
import type { Account } from "./account.ts";
import { machineBusySeconds } from "./process-table.ts";

export interface OthersWatch {
  /** CPU seconds a second since the start, `undefined` where it cannot be told. */
  end(): number | undefined;
}

/** @param parts those that are measured, beside this process itself */
export function watchOthers(parts: readonly Account[]): OthersWatch {
  const start = {
    at: performance.now(),
    own: process.cpuUsage(),
    busy: machineBusySeconds(),
    parts: sum(parts),
  };
  return {
    end() {
      // Without cgroups the generator takes what it used with it when it ends.
      if (parts.some((part) => part.method === "proc")) return undefined;
      const seconds = (performance.now() - start.at) / 1000;
      const own = process.cpuUsage(start.own);
      const known = sum(parts) - start.parts + (own.user + own.system) / 1e6;
      return Math.max(0, (machineBusySeconds() - start.busy - known) / seconds);
    },
  };
}

/** Of one core; the peers are idle between their runs. */
const QUIET = 0.25;
const LOOK_MS = 300;
const MOST_LOOKS = 10;

/** Waits until this machine is idle, but not long: where it never is, the figures are marked. */
export async function waitForQuiet(): Promise<void> {
  for (let look = 0; look < MOST_LOOKS; look++) {
    const busy = machineBusySeconds();
    await pause(LOOK_MS);
    if (machineBusySeconds() - busy < (QUIET * LOOK_MS) / 1000) return;
  }
}

function sum(parts: readonly Account[]): number {
  return parts.reduce((total, part) => total + part.cpuSeconds(), 0);
}
