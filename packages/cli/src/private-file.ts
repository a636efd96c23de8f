// Files that hold secrets or keys: read only where nobody else can read or change them, made once and with mode 600.
// Called by config/secrets-file.ts, config/dkim-keys.ts, secrets/write-secrets.ts, users/ and commands/dkim.ts.
import { constants } from "node:fs";
import { type FileHandle, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { CommandFailure, systemFailure } from "./failure.ts";

/** Any right of others, or the group's right to write. */
const FORBIDDEN_MODE = 0o027;
const KIB = 1024;
const MAX_FILE_KIB = 64;
/** Whatever the umask is, nobody else ever sees it. */
const NEW_MODE = 0o600;

export interface FileOwner {
  /** Permission bits. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface PrivateFile {
  readonly octets: Buffer;
  readonly owner: FileOwner;
}

/** For messages. */
export interface FileWords {
  /** As `secrets file`. */
  readonly what: string;
  /** Of a directory or a device: as `name the one that holds the secrets`. */
  readonly instead: string;
  /** Of a large file: as `not a secrets file: name the one with a secret on each line`. */
  readonly tooLarge: string;
  /** What to do where there is no such file. */
  readonly missing?: string;
  /** Default 64. */
  readonly maxKib?: number;
}

/** What is wrong with it is one CommandFailure. */
export async function readPrivateFile(path: string, words: FileWords): Promise<PrivateFile> {
  const what = `${words.what} ${path}`;
  // Without waiting for whoever might write into a named pipe: that is refused below.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK).catch((error: unknown) => {
    const { reason, message } = systemFailure(what, error);
    const remedy = words.missing !== undefined && hasCode(error, "ENOENT") ? `: ${words.missing}` : "";
    throw new CommandFailure(reason, `${message}${remedy}`);
  });
  try {
    const owner = await checkFile(file, path, words);
    return { octets: await readOctets(file, what, words), owner };
  } finally {
    await file.close();
  }
}

// Checked on the open file, so that nobody swaps it between the check and the reading.
async function checkFile(file: FileHandle, path: string, { what, instead }: FileWords): Promise<FileOwner> {
  const status = await file.stat();
  if (!status.isFile())
    throw new CommandFailure("config", `${what} ${path}: this is not a regular file: ${instead}`);
  if ((status.mode & FORBIDDEN_MODE) !== 0) {
    const mode = octal(status.mode);
    const message = `${what} ${path} has mode ${mode}: others can read or change it: run chmod 600 ${path}`;
    throw new CommandFailure("config", message);
  }
  return { mode: status.mode & 0o777, uid: status.uid, gid: status.gid };
}

/** As `ls` and `chmod` write a mode. */
export function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

/** At most one octet more than is allowed, whatever size the file says it has: those in /proc say 0. */
async function readOctets(file: FileHandle, what: string, words: FileWords): Promise<Buffer> {
  const { maxKib = MAX_FILE_KIB } = words;
  const buffer = Buffer.alloc(maxKib * KIB + 1);
  let length = 0;
  for (let more = 1; more > 0; length += more) {
    more = await file.read(buffer, length, buffer.length - length).then(
      ({ bytesRead }) => bytesRead,
      (error: unknown) => {
        throw systemFailure(what, error);
      },
    );
  }
  if (length < buffer.length) return buffer.subarray(0, length);
  throw new CommandFailure("config", `${what}: larger than ${maxKib} KiB: ${words.tooLarge}`);
}

/** Refuses a name that is taken. @param otherwise what to do then, in words */
export async function createPrivateFile(
  path: string,
  text: string,
  { what, otherwise }: { readonly what: string; readonly otherwise: string },
): Promise<void> {
  const file = await open(path, "wx", NEW_MODE).catch((error: unknown) => {
    if (hasCode(error, "EEXIST")) {
      const message = `${path} is there already, and stays as it is: ${otherwise}`;
      throw new CommandFailure("config", message);
    }
    if (hasCode(error, "ENOENT"))
      throw new CommandFailure("config", `${dirname(path)}: there is no such folder`);
    throw systemFailure(`${what} ${path}`, error);
  });
  try {
    await writeDurably(file, text);
  } catch (error) {
    await rm(path, { force: true });
    throw systemFailure(`${what} ${path}`, error);
  } finally {
    await file.close();
  }
  await syncFolder(dirname(path));
}

export async function writeDurably(file: FileHandle, text: string): Promise<void> {
  await file.writeFile(text);
  await file.sync();
}

/** The name is durable only with its folder. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
