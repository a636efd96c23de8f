// What a run on a free machine must show of Homing, in each of its modes. Medians of rounds are judged.
// Read by mode-tables.ts.
import type { Mode } from "./homing-config.ts";

/** A limit, and on which side of it a figure must be. */
export type Bound = { readonly least: number } | { readonly most: number };

export interface Promises {
  /** Cells, in times the base. */
  readonly perSecond: Readonly<Record<string, Bound>>;
  readonly cpuPer1000: Readonly<Record<string, Bound>>;
  /** Cells, in MB. */
  readonly rssMB: Readonly<Record<string, Bound>>;
  /** Milliseconds at light load, from the final dot to the 250. */
  readonly replyP99: Bound;
}

const OF_BOTH_MODES = {
  cpuPer1000: {
    "4k-many-10": { most: 0.3 },
    "4k-many-50": { most: 0.3 },
    "4k-one-50": { most: 0.3 },
  },
  rssMB: { "100k-many-50": { most: 250 } },
  replyP99: { most: 10 },
} satisfies Partial<Promises>;

export const PROMISES: Readonly<Record<Mode, Promises>> = {
  durable: {
    ...OF_BOTH_MODES,
    perSecond: {
      "4k-many-10": { least: 3 },
      "4k-many-50": { least: 5 },
      "4k-one-50": { least: 4 },
      "100k-many-10": { least: 1.2 },
    },
  },
  "in-session": {
    ...OF_BOTH_MODES,
    perSecond: {
      "4k-many-10": { least: 4 },
      "4k-many-50": { least: 6 },
      "4k-one-50": { least: 4 },
      "100k-many-10": { least: 1.5 },
    },
  },
};

/** A median of fewer is one round's luck. */
export const LEAST_ROUNDS = 3;
