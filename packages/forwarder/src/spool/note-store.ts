// Small facts with a key and an end: late successes, kept senders. Runs in the writer thread. Called by store.ts.
import type { DatabaseSync } from "node:sqlite";
import type { Note } from "./operations.ts";

/** Removed with each note that is written: the table shrinks faster than it grows, and no step is long. */
const EXPIRED_AT_ONCE = 10;

export interface NoteStore {
  write(note: Note, now: number): void;
  /** Exactly one caller gets true. */
  take(of: string, key: string, now: number): boolean;
  page(of: string, after: string, limit: number): readonly Note[];
}

export function createNoteStore(db: DatabaseSync): NoteStore {
  const insert = db.prepare("INSERT OR REPLACE INTO notes (kind, key, value, expires) VALUES (?, ?, ?, ?)");
  const removeExpired = db.prepare(
    `DELETE FROM notes WHERE rowid IN (SELECT rowid FROM notes WHERE expires <= ? LIMIT ${EXPIRED_AT_ONCE})`,
  );
  const remove = db.prepare("DELETE FROM notes WHERE kind = ? AND key = ? AND expires > ?");
  const select = db.prepare(
    "SELECT kind, key, value, expires FROM notes WHERE kind = ? AND key > ? ORDER BY key LIMIT ?",
  );

  return {
    write({ of, key, value, expires }, now) {
      removeExpired.run(now);
      insert.run(of, key, value, expires);
    },
    take: (of, key, now) => remove.run(of, key, now).changes === 1,
    page: (of, after, limit) =>
      select.all(of, after, limit).map(({ kind, key, value, expires }) => ({
        of: String(kind),
        key: String(key),
        value: String(value),
        expires: Number(expires),
      })),
  };
}
