// The file that says which process serves: for `homing reload`. Written by `homing serve`; `homing config check` asks
// whether it could be.
import { access, constants, lstat, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import process from "node:process";
import type { Config } from "../config/schema.ts";
import { CommandFailure, systemFailure } from "../failure.ts";

export interface PidFile {
  /** Now this process serves. */
  publish(): Promise<void>;
  /** Also where nothing was published. Leaves the file of another process alone. */
  remove(): Promise<void>;
}

export function pidPath({ pidFile }: Config, configPath: string): string | undefined {
  return pidFile === undefined ? undefined : resolve(dirname(resolve(configPath)), pidFile);
}

/** Throws where the file could not be made, or could not be taken away again. */
export async function checkPidFile(path: string): Promise<void> {
  const what = `pid file ${path}`;
  const folder = dirname(path);
  // With a dot behind, it must be a folder.
  await access(`${folder}/.`, constants.W_OK | constants.X_OK).catch((error: unknown) => {
    throw folderFailure(what, folder, error);
  });
  const there = await lstat(path).catch(() => undefined);
  if (there?.isDirectory()) {
    throw new CommandFailure("config", `${what}: this is a directory: name a file in it`);
  }
}

function folderFailure(what: string, folder: string, error: unknown): CommandFailure {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") {
    return new CommandFailure("config", `${what}: there is no folder ${folder}: make it, or change pidFile`);
  }
  if (code === "EROFS" || code === "EACCES" || code === "EPERM") {
    return new CommandFailure(
      "permission",
      `${what}: this user may not write into ${folder}: give it the right, or change pidFile`,
    );
  }
  return systemFailure(what, error);
}

/**
 * Before the port is opened, everything that can fail is done, under another name: whoever serves already keeps the
 * file until we really take its place.
 */
export async function preparePidFile(path: string | undefined): Promise<PidFile> {
  if (path === undefined) return { publish: async () => {}, remove: async () => {} };
  const what = `pid file ${path}`;
  const own = `${process.pid}\n`;
  const draft = `${path}.${process.pid}`;
  const failed = (error: unknown): never => {
    throw systemFailure(what, error);
  };
  await checkPidFile(path);
  await writeFile(draft, own).catch((error: unknown) => {
    throw folderFailure(what, dirname(path), error);
  });
  return {
    publish: () => rename(draft, path).catch(failed),
    async remove() {
      await rm(draft, { force: true }).catch(failed);
      const text = await readFile(path, "utf8").catch(() => "");
      if (text === own) await rm(path, { force: true }).catch(failed);
    },
  };
}
