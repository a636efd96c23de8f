// Are the places there that mail and questions go to? The service starts without them, and answers 451 then. Called by
// `homing config check`.
import { constants, type Stats } from "node:fs";
import { access, stat } from "node:fs/promises";
import { isOnTmpfs } from "@homing/forwarder/settings";
import { printable } from "@homing/srs-core";
import type { Config } from "./schema.ts";

/** What to look after, in words. */
export async function placeWarnings({
  localDelivery,
  dotForward,
}: Pick<Config, "localDelivery" | "dotForward">): Promise<readonly string[]> {
  const warnings: string[] = [];
  const store = localDelivery?.store;
  const folder = store?.kind === "maildir" ? fixedFolder(store.pattern) : undefined;
  if (folder !== undefined && !(await isThere(folder, (found) => found.isDirectory()))) {
    warnings.push(
      `warning: localDelivery.store: there is no folder ${printable(folder)}: make it, owned by the service's user`,
    );
  }
  if (dotForward && !(await isThere(dotForward.socket, (found) => found.isSocket()))) {
    const socket = printable(dotForward.socket);
    warnings.push(`warning: dotForward.socket: there is no socket ${socket}: start homing dotforward`);
  }
  return warnings;
}

/** @param folder as the service will use it; undefined without a `stateDirectory` */
export async function stateWarnings(folder: string | undefined): Promise<readonly string[]> {
  if (folder === undefined) return [];
  const shown = printable(folder);
  if (!(await isThere(folder, (found) => found.isDirectory())))
    return [`warning: stateDirectory: there is no folder ${shown}: the service makes it where it may`];
  const usable = await access(folder, constants.W_OK | constants.X_OK).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== "EROFS",
  );
  if (!usable)
    return [`warning: stateDirectory: ${shown} is on a disk that cannot be written to: choose another`];
  const inMemory = await isOnTmpfs(folder).catch(() => false);
  return inMemory
    ? [
        `warning: stateDirectory: ${shown} is in memory (tmpfs): what is there is lost with the power: choose a disk`,
      ]
    : [];
}

/** The part that is the same for all: the delivery never makes it. */
function fixedFolder(pattern: string): string {
  return pattern.slice(0, pattern.lastIndexOf("/", pattern.indexOf("{")));
}

/** What this user may not look at is taken to be there: the service may be another user. */
async function isThere(path: string, isRight: (found: Stats) => boolean): Promise<boolean> {
  return stat(path).then(isRight, (error: NodeJS.ErrnoException) => error.code === "EACCES");
}
