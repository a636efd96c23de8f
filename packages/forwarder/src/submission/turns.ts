// Work that only so many may do at once, with a bounded number of others waiting for it. Called by the files beside this one.

export interface Turns {
  /** Undefined where too many wait already: nothing was done. */
  run<T>(work: () => Promise<T>): Promise<T> | undefined;
}

export function createTurns({
  atOnce,
  waiting: most,
}: {
  readonly atOnce: number;
  readonly waiting: number;
}): Turns {
  let running = 0;
  const waiting: (() => void)[] = [];

  const turn = async <T>(work: () => Promise<T>): Promise<T> => {
    if (running >= atOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await work();
    } finally {
      // Whoever is next has our place.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
  return { run: (work) => (running >= atOnce && waiting.length >= most ? undefined : turn(work)) };
}
