// Figures as words: medians with their range, ratios of rounds, and the marks of what went wrong beside them.
// Called by report.ts and mode-tables.ts, and by the bench of bounces.
import type { CellRun } from "./results.ts";
import { type InRound, ratiosInRounds, type Spread } from "./statistics.ts";

/** CPU seconds a second of strangers, from which on a run is said to have been disturbed. */
const DISTURBED = 0.35;

export interface Compared<T> {
  readonly own: readonly T[];
  readonly base: readonly T[];
}

export function ratio(compared: Compared<CellRun>, value: (run: CellRun) => number): string {
  return withRange(ratioOf(compared, value), 2);
}

export function ratioOf(
  { own, base }: Compared<CellRun>,
  value: (run: CellRun) => number,
): Spread | undefined {
  const inRounds = (runs: readonly CellRun[]): InRound[] =>
    runs.map((run) => ({ round: run.round, value: value(run) }));
  return ratiosInRounds(inRounds(own), inRounds(base));
}

export interface Marked {
  readonly offered: number;
  readonly arrived: number;
  readonly others: number | undefined;
}

export function lostMessages(runs: readonly Pick<Marked, "offered" | "arrived">[]): boolean {
  return runs.some(({ offered, arrived }) => arrived < offered);
}

export function marks(runs: readonly Marked[]): string {
  const disturbed = runs.filter(({ others = 0 }) => others > DISTURBED).length * 2 > runs.length;
  return `${lostMessages(runs) ? "~" : ""}${disturbed ? "*" : ""}`;
}

export function withRange(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return "-";
  const [lowest, median, highest] = [spread.lowest, spread.median, spread.highest].map((value) =>
    value.toFixed(digits),
  );
  return lowest === highest ? `${median}` : `${median} (${lowest}-${highest})`;
}
