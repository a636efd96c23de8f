// What a process left in its state directory, read from a copy: the next process finds it as it was. Called by the stories
// after a kill, and while a service is idle.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { waitFor } from "../../harness/wait.ts";
import { PATIENCE_SECONDS } from "./scale.ts";

export interface LeftBehind {
  /** Tokens of messages, once for each recipient. */
  readonly queued: readonly string[];
  /** Those whose delivery was in flight. */
  readonly leased: readonly string[];
  /** Records of messages that were delivered after their client had heard 4xx. */
  readonly lateSuccesses: number;
}

export async function leftBehind(stateFolder: string): Promise<LeftBehind> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  try {
    // Not copyFile: of a file that shrinks meanwhile, libuv waits for the rest for ever.
    for (const name of ["spool.db", "spool.db-wal"])
      await writeFile(join(folder, name), await readFile(join(stateFolder, name)).catch(ifMissing));
    using db = new DatabaseSync(join(folder, "spool.db"));
    const tokens = (where: string): string[] =>
      db
        .prepare(`SELECT sender_local FROM recipients JOIN messages ON number = message WHERE ${where}`)
        .all()
        .map((row) => String(row.sender_local ?? ""));
    const late = db.prepare("SELECT count(*) AS n FROM notes WHERE kind = 'late-success'").get();
    return {
      queued: tokens("true"),
      leased: tokens("leased_until IS NOT NULL"),
      lateSuccesses: Number(late?.n),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** While the service runs, and a copy may be of two moments: then it is copied again. */
export async function untilQueueIsEmpty(stateFolder: string): Promise<void> {
  let left = "nothing could be read";
  await waitFor(
    async () => {
      const { queued } = await leftBehind(stateFolder).catch((error: Error) => ({ queued: [error.message] }));
      left = queued.join(" ").slice(0, 500);
      return queued.length === 0 ? true : undefined;
    },
    { seconds: PATIENCE_SECONDS, otherwise: () => `the queue is not empty: ${left}` },
  );
}

/** A process that ended by itself has no log. */
function ifMissing(error: NodeJS.ErrnoException): Buffer {
  if (error.code !== "ENOENT") throw error;
  return Buffer.alloc(0);
}
