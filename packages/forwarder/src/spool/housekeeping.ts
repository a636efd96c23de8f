// Between the batches: the log goes into the database file, removed chunks and free pages go. In steps of a few
// milliseconds, so that no batch waits long. Runs in the writer thread. Called by writer-thread.ts.
import type { DatabaseSync } from "node:sqlite";
import { troubleOf } from "./sqlite-error.ts";
import type { Store } from "./store.ts";

/** 64 MB of 4 KB pages: with four times that, storing was a fifth slower (ADR 0017). */
const CHECKPOINT_PAGES = 16_384;
/** 1 MB a step: the longest took 8 ms. */
const VACUUM_PAGES = 256;
/** 16 MB stay for the messages to come. */
const SPARE_PAGES = 4096;

export interface Housekeeping {
  afterBatch(): void;
  /** A step for when nothing else is to be done; false when nothing is left. */
  idleStep(): boolean;
  /** What is in the log is on the disk afterwards. */
  sync(): void;
  /** All room that can be had at once. */
  makeRoom(): void;
}

export function createHousekeeping(db: DatabaseSync, store: Store): Housekeeping {
  const logPages = db.prepare("PRAGMA wal_checkpoint(NOOP)");
  const freePages = db.prepare("PRAGMA freelist_count");
  const waiting = (): number => {
    const { log, checkpointed } = logPages.get() as { log: number; checkpointed: number };
    return log - checkpointed;
  };
  const spare = (): number => Number(freePages.get()?.freelist_count) - SPARE_PAGES;

  return {
    afterBatch() {
      unlessFull(() => store.sweep());
      if (waiting() >= CHECKPOINT_PAGES) unlessFull(() => db.exec("PRAGMA wal_checkpoint(PASSIVE)"));
    },
    idleStep() {
      return unlessFull(() => {
        if (store.sweep()) return true;
        if (spare() > 0) {
          db.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
          return true;
        }
        // Last: it gives the log's own room back as well.
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        return false;
      });
    },
    sync() {
      unlessFull(() => db.exec("PRAGMA wal_checkpoint(PASSIVE)"));
    },
    makeRoom() {
      unlessFull(() => {
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        if (Number(freePages.get()?.freelist_count) === 0) return false;
        db.exec("PRAGMA incremental_vacuum");
        db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
        return true;
      });
    },
  };
}

/** A full disk can wait; everything else about the database cannot. */
function unlessFull<T>(step: () => T): T | false {
  try {
    return step();
  } catch (error) {
    if (troubleOf(error) !== "full") throw error;
    return false;
  }
}
