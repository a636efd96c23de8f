// The measurements in their order: cell by cell, in each cell round by round, in each round every peer in turn.
// Called by main.ts, and by the bench of bounces.
import { measureLatency } from "./latency.ts";
import type { Runner } from "./line-up.ts";
import { waitForQuiet } from "./others.ts";
import type { CellRun, LatencyTurn } from "./results.ts";
import { type Load, type Offer, type Run, runOnce } from "./throughput.ts";
import type { TimingSink } from "./timing-sink.ts";

/** The first run of a cell at a peer only tells how many messages fill a round: it lasts this part of one. */
const TRIAL_PART = 0.3;
const MOST_MESSAGES = 100_000;
/** A server that got stuck is given up after so many times the aimed length. */
const PATIENCE = 4;
const PATIENCE_SECONDS = 5;
/** One cell, as far as rounds are concerned. */
export interface Measurement {
  readonly name: string;
  readonly sessions: number;
  /** Its speed by that of warming up: the trial must not take for ever where this is slow. */
  readonly firstGuess: number;
  readonly offer: Offer;
}

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

export async function runCell(cell: Measurement, runners: readonly Runner[], plan: Plan): Promise<CellRun[]> {
  const speed = new Map<Runner, number>();
  for (const runner of runners) {
    const guess = runner.warmPerSecond * cell.firstGuess;
    const trial = await runOnce(runner, orderOf(cell, guess, plan.seconds * TRIAL_PART), cell.offer);
    speed.set(runner, trial.perSecond);
  }
  const runs: CellRun[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    const words: string[] = [];
    await waitForQuiet();
    for (const runner of inTurn(runners, round)) {
      const { name } = runner.peer;
      const run = await runOnce(runner, orderOf(cell, speed.get(runner) ?? 0, plan.seconds), cell.offer);
      if (run.arrived > 0) speed.set(runner, run.perSecond);
      runs.push({ ...run, peer: name, round, cell: cell.name });
      words.push(`${name} ${Math.round(run.perSecond)}/s${complaintOf(run)}`);
    }
    plan.progress(`${cell.name} round ${round}: ${words.join(", ")}`);
  }
  return runs;
}

export async function runLatency(
  runners: readonly Runner[],
  sink: TimingSink,
  plan: Plan,
): Promise<LatencyTurn[]> {
  const turns: LatencyTurn[] = [];
  for (let round = 1; round <= plan.rounds; round++) {
    await waitForQuiet();
    for (const { peer } of inTurn(runners, round)) {
      const id = `latency-${peer.name}-${round}`;
      const run = await measureLatency(peer, sink, { id, seconds: plan.seconds });
      turns.push({ ...run, peer: peer.name, round });
    }
    plan.progress(`latency round ${round}`);
  }
  return turns;
}

/** Each round begins with another peer: nobody always runs after the same one. */
function inTurn<T>(all: readonly T[], round: number): T[] {
  const first = (round - 1) % Math.max(all.length, 1);
  return [...all.slice(first), ...all.slice(0, first)];
}

/** Every session offers the same number of messages. */
function orderOf({ sessions }: Measurement, perSecond: number, seconds: number): Load {
  const wanted = Math.min(perSecond * seconds, MOST_MESSAGES);
  const messages = Math.max(Math.round(wanted / sessions), 4) * sessions;
  return { messages, limitSeconds: seconds * PATIENCE + PATIENCE_SECONDS };
}

function complaintOf({ offered, arrived, complaint }: Run): string {
  return arrived < offered ? ` (${arrived} of ${offered} arrived; ${complaint})` : "";
}
