// Memory of one peer while a run lasts.
// Called by throughput.ts and latency.ts.
import type { Account } from "./account.ts";
import { proportionalOctets, residentOctets } from "./process-table.ts";

const SAMPLE_MS = 250;
const MEGABYTE = 1e6;

export interface Memory {
  /** The highest sum over all processes; pages that they share count for each. */
  readonly rssMB: number;
  /** At the end of the run; shared pages count once. Reading it costs too much to sample it meanwhile. */
  readonly pssMB: number;
  /** At the highest sum. */
  readonly processes: number;
}

export interface MemoryWatch extends Disposable {
  end(): Memory;
}

export function watchMemory(account: Account): MemoryWatch {
  let peak = { octets: 0, processes: 0 };
  const look = (): void => {
    const pids = account.pids();
    const octets = sum(pids.map(residentOctets));
    if (octets > peak.octets) peak = { octets, processes: pids.length };
  };
  const timer = setInterval(look, SAMPLE_MS);
  return {
    end() {
      clearInterval(timer);
      look();
      const pssMB = sum(account.pids().map(proportionalOctets)) / MEGABYTE;
      return { rssMB: peak.octets / MEGABYTE, pssMB, processes: peak.processes };
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
