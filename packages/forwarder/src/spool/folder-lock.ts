// One process for one spool: a lock that the kernel takes back however the process ends. Called by open-spool.ts.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { sqliteErrorCode } from "./sqlite-error.ts";

const BUSY = 5;

/** @returns gives the lock back. Throws one line for a person. */
export function lockFolder(folder: string): () => void {
  const file = join(folder, "spool.lock");
  const db = openLock(file);
  try {
    // An empty database: nothing is ever written to it. Node has no file locks, SQLite does.
    db.exec("BEGIN EXCLUSIVE");
    return () => {
      if (db.isOpen) db.close();
    };
  } catch (error) {
    db.close();
    if (((sqliteErrorCode(error) ?? 0) & 0xff) !== BUSY) throw cannotLock(file, error);
    throw new Error(
      `${folder}: another process has this spool open: stop it first, or give this one a folder of its own`,
    );
  }
}

function openLock(file: string): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout: 0 });
  } catch (error) {
    throw cannotLock(file, error);
  }
}

function cannotLock(file: string, error: unknown): Error {
  return new Error(`${file} cannot be locked: ${(error as Error).message}: check the folder and its owner`);
}
