// Sorts of notes that whoever forges bounces can make grow, kept to a number: beyond it the oldest go. In the transaction of
// whatever writes them, so that nobody who writes need ask. Runs in the writer thread. Called by note-store.ts.
import type { DatabaseSync } from "node:sqlite";

export interface NoteCap {
  readonly most: number;
  /** What is in the order of time: the keys, or else the ends, which costs a look at all of them: 60 ms for 50,000. */
  readonly oldestBy: "key" | "expires";
}

export type NoteCaps = Readonly<Record<string, NoteCap>>;

/** Some 300 octets each, with what the database needs: 64 MB and 16 MB. */
export const NOTE_CAPS: NoteCaps = {
  failure: { most: 200_000, oldestBy: "key" },
  "partial-failure": { most: 50_000, oldestBy: "expires" },
};

/** Of the cap: so many may be written before anybody counts again, and so many are there beyond it. */
const SLACK = 0.01;

/** Call it after each note that is written. */
export type KeepToCap = (sort: string) => void;

export function createNoteCaps(db: DatabaseSync, caps: NoteCaps): KeepToCap {
  const keepers = new Map(Object.entries(caps).map(([sort, cap]) => [sort, createKeeper(db, sort, cap)]));
  return (sort) => keepers.get(sort)?.();
}

function createKeeper(db: DatabaseSync, sort: string, { most, oldestBy }: NoteCap): () => void {
  const slack = Math.ceil(most * SLACK);
  // Of the index alone: 11 ms for 200,000.
  const count = db.prepare("SELECT count(*) AS count FROM notes WHERE kind = ?");
  const removeOldest = db.prepare(
    `DELETE FROM notes WHERE rowid IN (SELECT rowid FROM notes WHERE kind = ? ORDER BY ${oldestBy} LIMIT ?)`,
  );
  // What an earlier process left is counted with the first.
  let written = slack;
  return () => {
    if (++written < slack) return;
    written = 0;
    const excess = Number(count.get(sort)?.count) - most;
    // Faster than they come, and never so many that a batch waits for long.
    if (excess > 0) removeOldest.run(sort, Math.min(excess, 2 * slack));
  };
}
