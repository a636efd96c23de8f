// The spool's database: its file, its settings, its tables. Called by writer-thread.ts; docs/queue.md says what the rows
// mean.
import { DatabaseSync } from "node:sqlite";
import { causeOf, sqliteErrorCode, troubleOf } from "./sqlite-error.ts";

const SCHEMA_VERSION = 2;
/** 64 MB: larger logs were slower (ADR 0017). The writer thread checkpoints by itself at 16,384; this is the net below. */
const AUTOCHECKPOINT_PAGES = 4 * 16_384;
/** For somebody with sqlite3 on the file. */
const BUSY_MS = 5000;

/** Columns in the order of rows that travel between the threads; bodies come last, so that facts are read without them. */
export const MESSAGE_COLUMNS =
  "number, id, received, expires, sender_local, sender_domain, eight_bit, smtp_utf8, octets, chunks, ret, envid";
export const RECIPIENT_COLUMNS =
  "message, recipient, local, domain, path_local, path_domain, alias_local, alias_domain, stays, trace, notify, notify_local, notify_domain, destination, attempt, due, leased_until, delay_told, code, enhanced, detail, targets, dsn_notify, orcpt";

const SCHEMA = `
  CREATE TABLE messages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received INTEGER NOT NULL, expires INTEGER NOT NULL,
    sender_local TEXT, sender_domain TEXT, eight_bit INTEGER NOT NULL, smtp_utf8 INTEGER NOT NULL,
    octets INTEGER NOT NULL, chunks INTEGER NOT NULL, ret TEXT, envid TEXT, body BLOB
  ) STRICT;
  CREATE TABLE chunks (
    message INTEGER NOT NULL, place INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (message, place)
  ) STRICT;
  CREATE TABLE recipients (
    message INTEGER NOT NULL, recipient INTEGER NOT NULL,
    local TEXT NOT NULL, domain TEXT NOT NULL, path_local TEXT, path_domain TEXT,
    alias_local TEXT NOT NULL, alias_domain TEXT NOT NULL, stays INTEGER NOT NULL,
    trace TEXT NOT NULL, notify TEXT NOT NULL, notify_local TEXT, notify_domain TEXT, destination TEXT NOT NULL,
    attempt INTEGER NOT NULL, due INTEGER NOT NULL, leased_until INTEGER,
    delay_told INTEGER, code INTEGER, enhanced TEXT, detail TEXT,
    targets INTEGER NOT NULL, dsn_notify TEXT, orcpt TEXT,
    PRIMARY KEY (message, recipient)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leased ON recipients (leased_until) WHERE leased_until IS NOT NULL;
  CREATE INDEX due ON recipients (due) WHERE leased_until IS NULL;
  CREATE INDEX destination_due ON recipients (destination, due) WHERE leased_until IS NULL;
  CREATE TABLE notes (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (kind, key)
  ) STRICT;
  CREATE INDEX notes_expire ON notes (expires);
`;

/**
 * What each later version added, by the version before. Rows stay as they are written: a column that is not in one is null,
 * or its default; ENVID stands behind the body then, which costs the few messages that have one. How many targets an alias
 * had, version 1 does not say: as with one, the sender hears of each failure.
 */
const MIGRATIONS: Readonly<Record<number, string>> = {
  1: `
    ALTER TABLE messages ADD COLUMN ret TEXT;
    ALTER TABLE messages ADD COLUMN envid TEXT;
    ALTER TABLE recipients ADD COLUMN targets INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE recipients ADD COLUMN dsn_notify TEXT;
    ALTER TABLE recipients ADD COLUMN orcpt TEXT;
  `,
};

/** Opens or creates it, with what a process that was killed had committed. Throws one line for a person. */
export function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    // Before the first read: without shared memory there is one file less that a full disk could keep from growing.
    db.exec("PRAGMA locking_mode = EXCLUSIVE");
    const version = userVersion(db);
    if (version > SCHEMA_VERSION) throw new Error(newerVersion(file, version));
    if (version === 0) db.exec("PRAGMA auto_vacuum = INCREMENTAL");
    db.exec("PRAGMA journal_mode = WAL");
    db.exec("PRAGMA synchronous = FULL");
    db.exec(`PRAGMA wal_autocheckpoint = ${AUTOCHECKPOINT_PAGES}`);
    // What recovery found in the log may be in the page cache alone, after an fsync that failed. A checkpoint writes it
    // again, to the database file, and syncs that: only then may anything be acknowledged.
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    if (version < SCHEMA_VERSION)
      db.exec(`BEGIN IMMEDIATE; ${stepsFrom(version)} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT`);
    return db;
  } catch (error) {
    db.close();
    const code = sqliteErrorCode(error);
    if (code === undefined) throw error;
    const todo =
      troubleOf(error) === "full" ? "make room on its disk" : "check the disk, the file and its owner";
    throw new Error(`${file} cannot be opened: ${causeOf(error)}: ${todo}`);
  }
}

/** All in one transaction: killed on the way, it is the old version still. */
function stepsFrom(version: number): string {
  if (version === 0) return SCHEMA;
  const steps = Array.from({ length: SCHEMA_VERSION - version }, (_, at) => MIGRATIONS[version + at] ?? "");
  return steps.join("");
}

function userVersion(db: DatabaseSync): number {
  return Number(db.prepare("PRAGMA user_version").get()?.user_version);
}

function newerVersion(file: string, version: number): string {
  return `${file}: a newer Homing wrote this spool (version ${version}, this one knows ${SCHEMA_VERSION}): start the newer one, and let it empty the spool before you go back`;
}
