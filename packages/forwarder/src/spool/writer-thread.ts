// The writer thread: the only one that touches the spool's database. It opens it, does one batch after the other, keeps
// house while nothing comes, and ends when it cannot trust the database any more. Started by writer.ts.
import { parentPort, workerData } from "node:worker_threads";
import { goBehindClients } from "../threads/thread-priority.ts";
import { memoryOf } from "./answer-memory.ts";
import { createBatchRunner } from "./batch.ts";
import { openDatabase } from "./database.ts";
import { createHousekeeping } from "./housekeeping.ts";
import type { Batch, FromThread, ThreadOptions, ToThread } from "./operations.ts";
import { createRoom } from "./room.ts";
import { causeOf } from "./sqlite-error.ts";
import { createStore } from "./store.ts";
import { createSyncs } from "./syncs.ts";

/** Without a batch for so long, it is idle. */
const IDLE_MS = 250;

if (parentPort === null) throw new Error("this file is the writer thread's: see writer.ts");
const port = parentPort;
const answer = (message: FromThread, memory: readonly ArrayBuffer[] = []): void =>
  port.postMessage(message, [...memory]);

goBehindClients();
try {
  serve(workerData as ThreadOptions);
} catch (error) {
  end(error);
}

function serve(options: ThreadOptions): void {
  const db = openDatabase(options.file);
  const orEnd =
    <A extends readonly unknown[]>(work: (...args: A) => void) =>
    (...args: A): void => {
      try {
        work(...args);
      } catch (error) {
        // Closed by hand: while a connection is open, the next one would share its view of the log.
        closeQuietly(db);
        end(error);
      }
    };
  orEnd(() => {
    const store = createStore(db);
    db.exec("BEGIN IMMEDIATE");
    if (options.expireLeases) store.expireLeases();
    for (const message of options.withdraw) store.withdraw(message);
    for (const message of options.unleased) store.endLeases(message);
    db.exec("COMMIT");
    const housekeeping = createHousekeeping(db, store);
    const room = createRoom(options.file, options.minFreeOctets, housekeeping.makeRoom);
    const total = db.prepare("SELECT total_changes() AS count");
    const syncs = createSyncs({
      db,
      changes: () => Number(total.get()?.count),
      later(call, ms) {
        const timer = setTimeout(call, ms);
        return () => clearTimeout(timer);
      },
      sync: orEnd(housekeeping.sync),
    });
    const runBatch = createBatchRunner(db, { store, room, syncs });

    const keepHouse = orEnd(() => {
      // A message that came meanwhile is handled between two steps.
      if (housekeeping.idleStep()) idle = setTimeout(keepHouse, 0);
    });
    let idle = setTimeout(keepHouse, IDLE_MS);
    const handle = orEnd((message: ToThread) => {
      clearTimeout(idle);
      if (message === "close") {
        syncs.close();
        db.close();
        port.close();
        return;
      }
      const answers = runBatch(message);
      answer({ kind: "answers", answers }, memoryOf(answers));
      giveBack(message);
      housekeeping.afterBatch();
      idle = setTimeout(keepHouse, IDLE_MS);
    });
    port.on("message", handle);
    answer({ kind: "opened", lastNumber: store.lastNumber() });
  })();
}

/** The memory of a batch's bodies at once, not when the engine notices: this thread leaves it little else to clean. */
function giveBack({ bodies }: Batch): void {
  const memory = bodies.find((body) => body !== undefined)?.buffer;
  if (memory instanceof ArrayBuffer) memory.transfer(0);
}

function closeQuietly(db: { close(): void }): void {
  try {
    db.close();
  } catch {
    // What made it end is told already.
  }
}

function end(error: unknown): void {
  answer({ kind: "broken", cause: causeOf(error) });
  port.close();
}
