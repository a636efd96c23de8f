// Everything that was measured, run by run: what --json writes and report.ts prints. bench:returns has the same.
// Filled by rounds.ts.
import type { Account } from "./account.ts";
import type { LatencyRun } from "./latency.ts";
import type { Machine } from "./machine.ts";
import type { PeerName } from "./peer.ts";
import type { Run } from "./throughput.ts";
import type { WayHome } from "./verify.ts";

export interface InTurn {
  readonly peer: PeerName;
  /** From 1. */
  readonly round: number;
}

export type CellRun = Run & InTurn & { readonly cell: string };

export type LatencyTurn = LatencyRun & InTurn;

export interface Results {
  readonly machine: Machine;
  /** How CPU time was counted. */
  readonly method: Account["method"];
  readonly rounds: number;
  readonly seconds: number;
  readonly peers: readonly PeerName[];
  /** What they are, by name. */
  readonly versions: Readonly<Partial<Record<PeerName, string>>>;
  readonly leftOut: readonly LeftOut[];
  /** What became of the bounce that each peer was tried with. */
  readonly waysHome: Readonly<Partial<Record<PeerName, WayHome>>>;
  readonly runs: readonly CellRun[];
  readonly latencies: readonly LatencyTurn[];
}

export interface MtaResults extends Results {
  /** Of runs that are too short for verdicts. */
  readonly isShort: boolean;
}

export interface LeftOut {
  readonly peer: PeerName;
  readonly reason: string;
}
