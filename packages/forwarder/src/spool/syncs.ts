// Which transactions wait for the disk: all but those that only say that recipients are over. These are written at once and
// synced with the next of the others: a machine that stops in between has such a recipient tried again, as it would have been a
// moment before. Runs in the writer thread. Called by batch.ts and writer-thread.ts.
import type { DatabaseSync } from "node:sqlite";
import type { Operation } from "./operations.ts";

/** What nothing else synced for so long is synced for itself. */
export const SYNC_WITHIN_MS = 100;

export interface Syncs {
  /** Outside of a transaction: how the next one ends. */
  before(operations: readonly Operation[]): void;
  /** It ended well. */
  after(): void;
  close(): void;
}

export interface SyncsOptions {
  readonly db: Pick<DatabaseSync, "exec">;
  /** Rows that were changed since the database was opened: a transaction that changes none syncs nothing. */
  readonly changes: () => number;
  /** Calls once after so many milliseconds; returns what prevents it. */
  readonly later: (call: () => void, ms: number) => () => void;
  /** Syncs the log, where no transaction does. */
  readonly sync: () => void;
}

export function createSyncs({ db, changes, later, sync }: SyncsOptions): Syncs {
  /** As the database was opened. */
  let isFull = true;
  /** Undefined where all is synced. */
  let cancel: (() => void) | undefined;
  let changesBefore = 0;

  const synced = (): void => {
    cancel?.();
    cancel = undefined;
  };

  return {
    before(operations) {
      const waits = operations.some(isRelied);
      if (waits !== isFull) db.exec(`PRAGMA synchronous = ${waits ? "FULL" : "NORMAL"}`);
      isFull = waits;
      if (waits && cancel) changesBefore = changes();
      if (!waits)
        cancel ??= later(() => {
          cancel = undefined;
          sync();
        }, SYNC_WITHIN_MS);
    },
    after() {
      if (isFull && cancel && changes() !== changesBefore) synced();
    },
    close: synced,
  };
}

/**
 * RFC 5321 §4.2.5 is about most of them: a 250 means that we answer for the message. A lease or a deferral that a broken disk
 * loses would leave its recipient to nobody.
 */
function isRelied(operation: Operation): boolean {
  switch (operation.kind) {
    case "next-due":
    case "list":
    case "show":
    case "content":
    case "read":
    case "find-note":
    case "notes":
    case "forget":
      return false;
    case "finish":
      return operation.dsn !== undefined || operation.notes !== undefined;
    default:
      return true;
  }
}
