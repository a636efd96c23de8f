// Which transactions wait for the disk: those that somebody was told of, or could be. That a recipient is over or put off, and
// who has it, is written at once and synced with the next of those: a machine that stops in between has it tried again, as it
// would have been a moment before. Runs in the writer thread. Called by batch.ts and writer-thread.ts.
import type { DatabaseSync } from "node:sqlite";
import type { Operation } from "./operations.ts";

/** From here on the next transaction is synced, whatever it is. */
export const SYNC_WITHIN_MS = 100;

export interface Syncs {
  /** Outside of a transaction: how the next one ends. */
  before(operations: readonly Operation[]): void;
  close(): void;
}

/** @param later calls once after so many milliseconds; returns what prevents it */
export function createSyncs(
  db: Pick<DatabaseSync, "exec">,
  later: (call: () => void, ms: number) => () => void,
): Syncs {
  /** As the database was opened. */
  let isFull = true;
  let isOverdue = false;
  let cancel: (() => void) | undefined;

  const sync = (): void => {
    cancel?.();
    cancel = undefined;
    isOverdue = false;
  };

  return {
    before(operations) {
      const waits = isOverdue || operations.some(isRelied);
      if (waits !== isFull) db.exec(`PRAGMA synchronous = ${waits ? "FULL" : "NORMAL"}`);
      isFull = waits;
      if (waits) sync();
      else
        cancel ??= later(() => {
          isOverdue = true;
        }, SYNC_WITHIN_MS);
    },
    close: sync,
  };
}

/** RFC 5321 §4.2.5 is about the first of them: a 250 means that we answer for the message. */
function isRelied(operation: Operation): boolean {
  switch (operation.kind) {
    case "claim":
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
    case "retry":
      return operation.dsn !== undefined;
    default:
      return true;
  }
}
