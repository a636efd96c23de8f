// Secrets files on disk: made once, replaced whole or not at all. Called by `homing secrets`.
import { type FileHandle, open, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { readSecretsFile, type SecretsFile } from "../config/secrets-file.ts";
import { CommandFailure, systemFailure } from "../failure.ts";
import { createPrivateFile, hasCode, syncFolder, writeDurably } from "../private-file.ts";

/** Whatever the umask is, nobody else ever sees it. */
const MODE = 0o600;

/** Refuses a name that is taken: the secrets of yesterday's bounces may be in it. */
export function createSecretsFile(path: string, text: string): Promise<void> {
  const otherwise = `put a new secret on top with: homing secrets rotate ${path}`;
  return createPrivateFile(path, text, { what: "secrets file", otherwise });
}

/**
 * Replaces the file by what `edit` makes of it: readers see all of the old one or all of the new one, also after a
 * crash. Owner and mode stay.
 */
export async function replaceSecretsFile(path: string, edit: (old: SecretsFile) => string): Promise<void> {
  const real = await realpath(path).catch((error: unknown) => {
    throw systemFailure(`secrets file ${path}`, error);
  });
  const temporary = `${real}.new`;
  const file = await openTemporary(temporary);
  try {
    const old = await readSecretsFile(real);
    const { uid, gid, mode } = old.owner;
    const { uid: ownUid, gid: ownGid } = await file.stat();
    if (uid !== ownUid || gid !== ownGid) await file.chown(uid, gid);
    await file.chmod(mode);
    await writeDurably(file, edit(old));
    await rename(temporary, real);
  } catch (error) {
    await rm(temporary, { force: true });
    const ofSystem = error instanceof Error && "code" in error;
    throw ofSystem ? systemFailure(`secrets file ${path}`, error) : error;
  } finally {
    await file.close();
  }
  await syncFolder(dirname(real));
}

/** Its name is also a lock: of two rotations at the same time one would be lost. */
async function openTemporary(path: string): Promise<FileHandle> {
  return await open(path, "wx", MODE).catch((error: unknown) => {
    if (hasCode(error, "EEXIST")) {
      const message = `${path} is there: another rotation is running, or one was interrupted: then remove that file`;
      throw new CommandFailure("temporary", message);
    }
    throw systemFailure(path, error);
  });
}
