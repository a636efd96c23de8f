// So much work at a time, and the rest in the order of coming. Called by sqlite-spool.ts for large messages.

export type Turns = <T>(work: () => Promise<T>) => Promise<T>;

export function createTurns(most: number): Turns {
  const waiting: (() => void)[] = [];
  let running = 0;

  return async (work) => {
    if (running < most) running++;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      // Whoever waits takes over this turn.
      const next = waiting.shift();
      if (next) next();
      else running--;
    }
  };
}
