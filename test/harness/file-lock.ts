// One piece of work at a time across test processes, by flock(1).
// Called by debian-packages.ts: test files run at once, and the first one unpacks for all.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { SYSTEM_PATH } from "./command.ts";

/** Runs `work` while holding a lock on `file`; throws when somebody else holds it longer than `seconds`. */
export async function withFileLock<T>(file: string, seconds: number, work: () => Promise<T>): Promise<T> {
  // The kernel frees the lock when `cat` ends, and `cat` ends when this process does, however it dies:
  // a lock folder would stay behind after a SIGKILL.
  const holder = spawn("flock", ["--timeout", `${seconds}`, file, "sh", "-c", "echo locked; exec cat"], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: SYSTEM_PATH },
  });
  const ended = once(holder, "close");
  try {
    await Promise.race([
      once(holder.stdout, "data"),
      ended.then(() => {
        throw new Error(`${file} was still locked by another process after ${seconds} s`);
      }),
    ]);
    return await work();
  } finally {
    holder.stdin.end();
    await ended;
  }
}
