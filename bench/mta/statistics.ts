// Medians, quantiles and ratios of rounds.
// Called by report.ts and latency.ts.

export interface Spread {
  readonly lowest: number;
  readonly median: number;
  readonly highest: number;
}

/** `undefined` of nothing. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const [lowest] = sorted;
  const highest = sorted.at(-1);
  if (lowest === undefined || highest === undefined) return undefined;
  const middle = (sorted.length - 1) / 2;
  const below = sorted[Math.floor(middle)] ?? lowest;
  const above = sorted[Math.ceil(middle)] ?? highest;
  return { lowest, median: (below + above) / 2, highest };
}

/** The value that the share `part` of them does not exceed. */
export function quantile(values: readonly number[], part: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export interface InRound {
  readonly round: number;
  readonly value: number;
}

/** Own value over that of the base in the same round: what else this machine did then touched both. */
export function ratiosInRounds(own: readonly InRound[], base: readonly InRound[]): Spread | undefined {
  const baseOf = new Map(base.map(({ round, value }) => [round, value]));
  return spreadOf(own.map(({ round, value }) => value / (baseOf.get(round) || Number.NaN)));
}
