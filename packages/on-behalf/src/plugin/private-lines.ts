// Files that hold secrets or a site's key: one a line, newest first, `#` comments. Read only where nobody else can read or change
// them. Called by plugin-rules.ts. The same rules as those of the service's secrets files.
import { isUtf8 } from "node:buffer";
import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { type Stopped, stopped } from "./plugin-problem.ts";

/** 22 characters of base64 hold 128 bits. */
export const STRONG_LENGTH = 22;
/** Any right of others, or the group's right to write. */
const FORBIDDEN_MODE = 0o027;
const MAX_FILE_OCTETS = 64 * 1024;
const NEW_SECRET = "put a random one there, as from: openssl rand -base64 24";
/** Blanks inside a secret are part of it, a tab among them. */
const UNFIT = /(?!\t)[\p{Cc}\ufffd]/u;

export type PrivateLines = { readonly ok: true; readonly lines: readonly string[] } | Stopped;

/** @param field of the options, for messages */
export async function readPrivateLines(path: string, field: string): Promise<PrivateLines> {
  let file: FileHandle;
  try {
    // Without waiting for whoever might write into a named pipe: that is refused below.
    file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  } catch (cause) {
    return bad(field, path, "cannot be opened", "give the path of a file that this process may read", cause);
  }
  try {
    return (await checkFile(file, field, path)) ?? parse(await readOctets(file), field, path);
  } catch (cause) {
    return bad(field, path, "cannot be read", "look at the disk", cause);
  } finally {
    await file.close();
  }
}

/** Is it a secret that nobody guesses? Else what is wrong with it. */
export function secretFault(secret: unknown): string | undefined {
  if (typeof secret !== "string") return "is no text";
  if (secret.length < STRONG_LENGTH)
    return `has fewer than ${STRONG_LENGTH} characters, which can be guessed`;
  return UNFIT.test(secret) || !secret.isWellFormed() ? "holds a character that is no text" : undefined;
}

// Checked on the open file, so that nobody swaps it between the check and the reading.
async function checkFile(file: FileHandle, field: string, path: string): Promise<Stopped | undefined> {
  const status = await file.stat();
  if (!status.isFile())
    return bad(field, path, "is not a regular file", "name the one that holds the secrets");
  // Windows has other rights than these, and shows 0666.
  if (process.platform === "win32" || (status.mode & FORBIDDEN_MODE) === 0) return undefined;
  const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
  return bad(field, path, `has mode ${mode}, so that others can read or change it`, `run chmod 600 ${path}`);
}

/** At most one octet more than is allowed, whatever size the file says it has. */
async function readOctets(file: FileHandle): Promise<Buffer> {
  const buffer = Buffer.alloc(MAX_FILE_OCTETS + 1);
  let length = 0;
  for (let more = 1; more > 0; length += more) {
    more = (await file.read(buffer, length, buffer.length - length)).bytesRead;
  }
  return buffer.subarray(0, length);
}

function parse(octets: Buffer, field: string, path: string): PrivateLines {
  if (octets.length > MAX_FILE_OCTETS) {
    return bad(field, path, "is larger than 64 KiB", "name the file with a secret on each line");
  }
  // Decoded with replacements, different octets would be one secret, which anybody can write.
  if (!isUtf8(octets)) return bad(field, path, "is not UTF-8", NEW_SECRET);
  const lines = octets
    .toString("utf8")
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, secret: line.trim() }))
    .filter(({ secret }) => secret !== "" && !secret.startsWith("#"));
  if (lines.length === 0) return bad(field, path, "holds no secret", NEW_SECRET);
  for (const { number, secret } of lines) {
    const fault = secretFault(secret);
    if (fault) return bad(field, `${path}:${number}`, fault, NEW_SECRET);
  }
  return { ok: true, lines: lines.map(({ secret }) => secret) };
}

function bad(field: string, place: string, why: string, hint: string, cause?: unknown): Stopped {
  return stopped("secrets-unreadable", `${field} ${place} ${why}`, { field, hint, cause });
}
