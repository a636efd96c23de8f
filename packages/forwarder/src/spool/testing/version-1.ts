// The spool's database as an earlier Homing made it. Called by database.test.ts and by test/bounce-crash.test.ts.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

const VERSION_1 = `
  PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
  CREATE TABLE messages (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, received INTEGER NOT NULL, expires INTEGER NOT NULL,
    sender_local TEXT, sender_domain TEXT, eight_bit INTEGER NOT NULL, smtp_utf8 INTEGER NOT NULL,
    octets INTEGER NOT NULL, chunks INTEGER NOT NULL, body BLOB
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
    PRIMARY KEY (message, recipient)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX leased ON recipients (leased_until) WHERE leased_until IS NOT NULL;
  CREATE INDEX due ON recipients (due) WHERE leased_until IS NULL;
  CREATE INDEX destination_due ON recipients (destination, due) WHERE leased_until IS NULL;
  CREATE TABLE notes (
    kind TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, expires INTEGER NOT NULL, PRIMARY KEY (kind, key)
  ) STRICT;
  CREATE INDEX notes_expire ON notes (expires);
  PRAGMA user_version = 1;
`;

/** @param rows SQL that fills its tables */
export function writeVersion1(folder: string, rows: string): void {
  using db = new DatabaseSync(join(folder, "spool.db"));
  db.exec(VERSION_1 + rows);
}
