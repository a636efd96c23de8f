// Users files on disk: read only where nobody else can, replaced whole or not at all. Called by `homing users`.
import { isUtf8 } from "node:buffer";
import { existsSync } from "node:fs";
import { open, realpath, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { parseUsersFile, type Users } from "@homing/forwarder/users";
import { configFailure } from "../config/config-problem.ts";
import { CommandFailure, systemFailure } from "../failure.ts";
import { type FileWords, hasCode, readPrivateFile, syncFolder, writeDurably } from "../private-file.ts";

export interface UsersFile {
  readonly text: string;
  readonly users: Users;
}

/** The file itself, or Dovecot. */
type WhoKnows = "here" | "elsewhere";

/** Some thirty thousand users: more are better kept by Dovecot. */
const MAX_KIB = 4096;
const WORDS: FileWords = {
  what: "users file",
  instead: "name the one with a user on each line",
  tooLarge: "not a users file: name the one with a user on each line",
  maxKib: MAX_KIB,
};
/** Whatever the umask is, nobody else ever sees it. */
const MODE = 0o600;

/** @param passwords who knows them; of a file alone it cannot be told */
export async function readUsersFile(path: string, passwords?: WhoKnows): Promise<UsersFile> {
  const { octets } = await readPrivateFile(path, WORDS);
  return readText(path, octets, passwords);
}

/**
 * Replaces the file by what `edit` makes of it, or makes one: readers see all of the old one or all of the new one, also
 * after a crash. Owner and mode stay. What `edit` throws leaves the file as it was.
 *
 * @param mayBeNew whether a file that is not there is an empty one
 */
export async function replaceUsersFile(
  path: string,
  mayBeNew: boolean,
  edit: (old: UsersFile) => Promise<string>,
): Promise<void> {
  const isNew = mayBeNew && !existsSync(path);
  const real = isNew
    ? path
    : await realpath(path).catch((error: unknown) => {
        throw systemFailure(`users file ${path}`, error);
      });
  const temporary = `${real}.new`;
  const file = await open(temporary, "wx", MODE).catch((error: unknown) => {
    throw lockFailure(temporary, error);
  });
  try {
    const old = isNew ? undefined : await readPrivateFile(real, WORDS);
    const text = await edit(old ? readText(path, old.octets) : { text: "", users: new Map() });
    // As the service will read it: what it would not take never gets there.
    readText(path, Buffer.from(text));
    if (old) {
      const { uid, gid, mode } = old.owner;
      const own = await file.stat();
      if (uid !== own.uid || gid !== own.gid) await file.chown(uid, gid);
      await file.chmod(mode);
    }
    await writeDurably(file, text);
    await rename(temporary, real);
  } catch (error) {
    await rm(temporary, { force: true });
    const ofSystem = error instanceof Error && "code" in error;
    throw ofSystem ? systemFailure(`users file ${path}`, error) : error;
  } finally {
    await file.close();
  }
  await syncFolder(dirname(real));
}

/** Its name is also a lock: of two changes at the same time one would be lost. */
function lockFailure(path: string, error: unknown): CommandFailure {
  if (hasCode(error, "EEXIST")) {
    const message = `${path} is there: another change is being made, or one was interrupted: then remove that file`;
    return new CommandFailure("temporary", message);
  }
  if (hasCode(error, "ENOENT"))
    return new CommandFailure("config", `${dirname(path)}: there is no such folder: make it`);
  return systemFailure(path, error);
}

function readText(path: string, octets: Buffer, passwords?: WhoKnows): UsersFile {
  if (!isUtf8(octets)) throw new CommandFailure("config", `users file ${path} is not UTF-8: write it so`);
  const text = octets.toString("utf8");
  const parsed = parseUsersFile(text, { passwords: passwords ?? "here" });
  if (parsed.ok) return { text, users: parsed.users };
  // One whose passwords Dovecot knows has none in it.
  const other = passwords === undefined && parseUsersFile(text, { passwords: "elsewhere" });
  if (other !== false && other.ok) return { text, users: other.users };
  throw configFailure(parsed.problems.map((problem) => ({ file: path, ...problem })));
}
