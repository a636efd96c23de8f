// The file that says which process serves: for `homing reload`. Written by `homing serve`.
import { rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import process from "node:process";
import type { Config } from "../config/schema.ts";
import { systemFailure } from "../failure.ts";

export function pidPath({ pidFile }: Config, configPath: string): string | undefined {
  return pidFile === undefined ? undefined : resolve(dirname(resolve(configPath)), pidFile);
}

/** Gives what takes the file away again. */
export async function writePidFile(path: string | undefined): Promise<() => Promise<void>> {
  if (path === undefined) return async () => {};
  await writeFile(path, `${process.pid}\n`).catch((error: unknown) => {
    throw systemFailure(`pid file ${path}`, error);
  });
  return () => rm(path, { force: true });
}
