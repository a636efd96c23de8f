// A batch of operations as one transaction: one sync of the disk for all of them, and answers only after it, where somebody
// may rely on one. Runs in the writer thread. Called by writer-thread.ts.
import type { DatabaseSync } from "node:sqlite";
import type { Answer, Batch, Operation } from "./operations.ts";
import type { Room } from "./room.ts";
import { causeOf, troubleOf } from "./sqlite-error.ts";
import type { Store } from "./store.ts";
import type { Syncs } from "./syncs.ts";

/** Throws where the database must be opened again before anything else is said of it. */
export type RunBatch = (batch: Batch) => readonly Answer[];

export interface BatchParts {
  readonly store: Store;
  readonly room: Room;
  readonly syncs: Syncs;
}

export function createBatchRunner(db: DatabaseSync, { store, room, syncs }: BatchParts): RunBatch {
  const begin = db.prepare("BEGIN IMMEDIATE");
  const commit = db.prepare("COMMIT");
  const rollback = (): void => {
    // SQLite has done it by itself after some errors.
    if (db.isTransaction) db.exec("ROLLBACK");
  };

  const all = ({ operations, bodies }: Batch, full: string | undefined): Answer[] => {
    begin.run();
    const answers = operations.map((operation, index): Answer => {
      if (full !== undefined && addsOctets(operation) && !store.wasStored(operation))
        return { kind: "no-room", cause: full };
      return { kind: "done", value: store.run(operation, bodies[index]) };
    });
    commit.run();
    return answers;
  };

  /** Once more, each operation with a way back of its own: slower, and only after one of them went wrong. */
  const singly = ({ operations, bodies }: Batch): Answer[] => {
    begin.run();
    const answers = operations.map((operation, index): Answer => {
      db.exec("SAVEPOINT operation");
      try {
        const value = store.run(operation, bodies[index]);
        db.exec("RELEASE operation");
        return { kind: "done", value };
      } catch (error) {
        if (troubleOf(error) !== "operation" || !db.isTransaction) throw error;
        db.exec("ROLLBACK TO operation; RELEASE operation");
        return { kind: "refused", cause: causeOf(error) };
      }
    });
    commit.run();
    return answers;
  };

  /** Nothing that grows is tried again; what makes room may still go through. */
  const withoutPuts = (batch: Batch, cause: string): Answer[] => {
    try {
      return all(batch, cause);
    } catch (error) {
      rollback();
      if (troubleOf(error) !== "full") throw error;
      return batch.operations.map((operation) =>
        store.wasStored(operation) ? { kind: "done", value: "stored" } : { kind: "no-room", cause },
      );
    }
  };

  const run: RunBatch = (batch) => {
    const full = batch.operations.some(addsOctets) ? room.lacking() : undefined;
    try {
      return all(batch, full);
    } catch (error) {
      rollback();
      const trouble = troubleOf(error);
      if (trouble === "broken") throw error;
      if (trouble === "full") return withoutPuts(batch, causeOf(error));
    }
    try {
      return singly(batch);
    } catch (error) {
      rollback();
      if (troubleOf(error) !== "full") throw error;
      return withoutPuts(batch, causeOf(error));
    }
  };
  return (batch) => {
    syncs.before(batch.operations);
    const answers = run(batch);
    syncs.after();
    return answers;
  };
}

function addsOctets(operation: Operation): boolean {
  if (operation.kind === "change-notes") return operation.needsRoom === true;
  return operation.kind === "put" || operation.kind === "put-all" || operation.kind === "chunk";
}
