// Interleaved rounds: on a machine that others use too, only ratios within one round mean something.
// Called by the benchmarks in this folder.

export interface Contestant {
  readonly name: string;
  /** Does `count` operations and gives the seconds that they took. */
  run(count: number): number | Promise<number>;
}

export interface Result {
  readonly name: string;
  /** Operations a second, median of the rounds. */
  readonly rate: number;
  /** Its rate over that of the first contestant, in the same round: lowest, median, highest. */
  readonly ratio: readonly [lowest: number, median: number, highest: number];
}

/** One warm-up round, then `rounds` in which every contestant runs once. */
export async function race(
  contestants: readonly Contestant[],
  count: number,
  rounds: number,
): Promise<Result[]> {
  const rates = contestants.map((): number[] => []);
  for (let round = -1; round < rounds; round++) {
    for (const [index, contestant] of contestants.entries()) {
      const rate = count / (await contestant.run(count));
      if (round >= 0) rates[index]?.push(rate);
    }
  }
  const [base = []] = rates;
  return contestants.map(({ name }, index) => {
    const own = rates[index] ?? [];
    const ratios = own.map((rate, round) => rate / (base[round] ?? Number.NaN)).sort((a, b) => a - b);
    return { name, rate: median(own), ratio: [ratios[0] ?? 0, median(ratios), ratios.at(-1) ?? 0] };
  });
}

/** Seconds that a synchronous piece of work takes. */
export function seconds(work: () => void): number {
  const start = process.hrtime.bigint();
  work();
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
