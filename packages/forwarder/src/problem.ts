// A mistake in a file that an operator wrote, with its place. All mistakes of a file are told in one run.

export interface Problem {
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** What, why and what to do, in one line. */
  readonly message: string;
}
