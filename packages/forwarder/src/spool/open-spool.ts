// Opens the spool of a folder. Called by the composition root.
import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import { lockFolder } from "./folder-lock.ts";
import { createNotes, type Notes } from "./notes.ts";
import type { Spool } from "./spool.ts";
import { createSqliteSpool } from "./sqlite-spool.ts";
import { startWriter, type Writer } from "./writer.ts";

/** For the log of 64 MB to go into the database file, and for what removing messages writes. */
const DEFAULT_MIN_FREE_OCTETS = 128 * 1024 * 1024;
/** What waits for the disk, beside the messages that are being received. */
const DEFAULT_MAX_PENDING_OCTETS = 64 * 1024 * 1024;

export interface SpoolOptions {
  /** Made if it is not there, in a folder that is. On a local disk: SQLite's locks and log are not for network file systems. */
  readonly folder: string;
  /** With less than this on its disk, nothing more is taken. 0: until the disk itself refuses. */
  readonly minFreeOctets?: number;
  readonly maxPendingOctets?: number;
  /** Told when the storage went away, with the cause, and when it is back. */
  readonly trouble?: ((cause: string | undefined) => void) | undefined;
}

export interface OpenSpool extends Spool {
  readonly notes: Notes;
}

/** Rejects with one line for a person: another process has it, a newer version wrote it, the disk refuses. */
export async function openSpool(options: SpoolOptions): Promise<OpenSpool> {
  const { folder, minFreeOctets = DEFAULT_MIN_FREE_OCTETS } = options;
  makeFolder(folder);
  const unlock = lockFolder(folder);
  const { maxPendingOctets = DEFAULT_MAX_PENDING_OCTETS } = options;
  const file = join(folder, "spool.db");
  let writer: Writer;
  try {
    // Mail is nobody else's to read; SQLite gives its other files the mode of this one.
    closeSync(openSync(file, "a", 0o600));
    writer = await startWriter({ file, minFreeOctets, maxPendingOctets, trouble: options.trouble });
  } catch (error) {
    unlock();
    throw error;
  }
  const spool = createSqliteSpool(writer);
  const close = async (): Promise<void> => {
    await spool.close();
    unlock();
  };
  return { ...spool, close, notes: createNotes(writer) };
}

/** One folder and not those above it: Node's way to make them all never ends in /proc, and a typing error would go unseen. */
function makeFolder(folder: string): void {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
}
