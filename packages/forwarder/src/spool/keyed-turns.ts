// Work on the same key one after the other, on different keys at the same time. Called by buckets.ts,
// and in bounces/ by links.ts and partial-failures.ts.

export type KeyedTurns = <Result>(key: string, work: () => Promise<Result>) => Promise<Result>;

export function createKeyedTurns(): KeyedTurns {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const mine = (last.get(key) ?? Promise.resolve()).then(work);
    // Whoever comes next does not care how this ended.
    const over = mine.then(
      () => {},
      () => {},
    );
    last.set(key, over);
    void over.then(() => {
      if (last.get(key) === over) last.delete(key);
    });
    return mine;
  };
}
