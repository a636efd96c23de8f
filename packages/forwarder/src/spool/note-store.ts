// Small facts with a key and an end: late successes, kept senders, buckets. Runs in the writer thread. Called by store.ts.
import type { DatabaseSync } from "node:sqlite";
import { createNoteCaps, NOTE_CAPS } from "./note-caps.ts";
import type { Note, NoteChanges, NoteName } from "./operations.ts";

/** Removed with each note that is written: the table shrinks faster than it grows, and no step is long. */
const EXPIRED_AT_ONCE = 10;

export interface NoteStore {
  write(note: Note, now: number): void;
  /** What must be there is, and what must not is not. */
  allow(changes: NoteChanges | undefined): boolean;
  /** All that these would write stands there: with a value that nobody else writes, by them. False where they write nothing. */
  areWritten(changes: NoteChanges | undefined): boolean;
  /** Whatever the conditions: ask before. */
  change(changes: NoteChanges | undefined): void;
  find(of: string, key: string, now: number): Note | undefined;
  /** Exactly one caller gets true. */
  take(of: string, key: string, now: number): boolean;
  page(of: string, after: string, limit: number): readonly Note[];
}

export function createNoteStore(db: DatabaseSync, caps = NOTE_CAPS): NoteStore {
  const keepToCap = createNoteCaps(db, caps);
  const insert = db.prepare("INSERT OR REPLACE INTO notes (kind, key, value, expires) VALUES (?, ?, ?, ?)");
  const removeExpired = db.prepare(
    `DELETE FROM notes WHERE rowid IN (SELECT rowid FROM notes WHERE expires <= ? LIMIT ${EXPIRED_AT_ONCE})`,
  );
  const remove = db.prepare("DELETE FROM notes WHERE kind = ? AND key = ? AND expires > ?");
  const removeOne = db.prepare("DELETE FROM notes WHERE kind = ? AND key = ?");
  const selectOne = db.prepare(
    "SELECT kind, key, value, expires FROM notes WHERE kind = ? AND key = ? AND expires > ?",
  );
  const select = db.prepare(
    "SELECT kind, key, value, expires FROM notes WHERE kind = ? AND key > ? ORDER BY key LIMIT ?",
  );

  const write = ({ of, key, value, expires }: Note, now: number): void => {
    removeExpired.run(now);
    insert.run(of, key, value, expires);
    keepToCap(of);
  };

  const find = (of: string, key: string, now: number): Note | undefined => {
    const row = selectOne.get(of, key, now);
    return row && noteOf(row);
  };
  const isThere = ({ of, key }: NoteName, { now }: NoteChanges): boolean => find(of, key, now) !== undefined;

  return {
    write,
    allow(changes) {
      if (!changes || !hasConditions(changes)) return true;
      const { present = [], absent = [] } = changes;
      return (
        present.every((name) => isThere(name, changes)) && !absent.some((name) => isThere(name, changes))
      );
    },
    areWritten(changes) {
      if (!changes || changes.write.length === 0) return false;
      return changes.write.every(({ of, key, value }) => find(of, key, changes.now)?.value === value);
    },
    change(changes) {
      for (const { of, key } of changes?.remove ?? []) removeOne.run(of, key);
      for (const note of changes?.write ?? []) write(note, changes?.now ?? 0);
    },
    find,
    take: (of, key, now) => remove.run(of, key, now).changes === 1,
    page: (of, after, limit) => select.all(of, after, limit).map(noteOf),
  };
}

export function hasConditions(changes: NoteChanges | undefined): boolean {
  return changes?.present !== undefined || changes?.absent !== undefined;
}

function noteOf({ kind, key, value, expires }: Record<string, unknown>): Note {
  return { of: String(kind), key: String(key), value: String(value), expires: Number(expires) };
}
