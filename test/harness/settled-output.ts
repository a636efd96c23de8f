// What a process of ours printed, when it has printed all of it: its log may come a moment after its reply, and on a busy
// machine a moment is long. Called by homing.ts.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setImmediate as nextTurn, setTimeout as sleep } from "node:timers/promises";
import type { HomingProcess } from "./homing.ts";

const SETTLED_MS = 50;
/** A service that never rests is looked at as it is. */
const MAX_ROUNDS = 100;

/** Everything that it has to say of what it was told until now: nothing new came, and it waits for news itself. */
export async function settledOutput({ pid, stdout }: Pick<HomingProcess, "pid" | "stdout">): Promise<string> {
  let before = stdout();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    await sleep(SETTLED_MS);
    // Twice: one thread may have handed its work to another between two looks.
    const waits = isWaiting(pid) && isWaiting(pid);
    // What it wrote until here is in the pipe, and read by the next turn.
    await nextTurn();
    const now = stdout();
    if (waits && now === before) return now;
    before = now;
  }
  return before;
}

/** None of its threads has work, or waits for a processor or the disk. */
function isWaiting(pid: number): boolean {
  const folder = `/proc/${pid}/task`;
  try {
    return readdirSync(folder).every((thread) =>
      /\) S /.test(readFileSync(join(folder, thread, "stat"), "utf8")),
    );
  } catch {
    // A thread or the process ended meanwhile.
    return !existsSync(folder);
  }
}
