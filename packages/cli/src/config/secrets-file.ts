// Secrets files: one secret a line, newest first, `#` comments: PostSRSd's format. Called by every command that signs
// or verifies.
import { type FileHandle, open } from "node:fs/promises";
import { CommandFailure, systemFailure } from "../failure.ts";

/** 22 characters of base64 hold 128 bits. */
const STRONG_LENGTH = 22;
/** Any right of others, or the group's right to write. */
const FORBIDDEN_MODE = 0o027;
const MAX_FILE_OCTETS = 64 * 1024;

export interface SecretsFile {
  /** Newest first; at least one. */
  readonly secrets: readonly string[];
  /** Line numbers of secrets that are too short to be strong. */
  readonly weakLines: readonly number[];
}

/** Reads and checks a secrets file. What is wrong with it is one CommandFailure. */
export async function readSecretsFile(path: string): Promise<SecretsFile> {
  const what = `secrets file ${path}`;
  const file = await open(path, "r").catch((error: unknown) => {
    throw systemFailure(what, error);
  });
  try {
    await checkFile(file, what, path);
    return parseSecrets(await file.readFile("utf8"), what);
  } finally {
    await file.close();
  }
}

/** Refuses short secrets: a tag is worth no more than the secret behind it. */
export function requireStrong(file: SecretsFile, path: string): void {
  const [line] = file.weakLines;
  if (line === undefined) return;
  throw new CommandFailure(
    "config",
    `secrets file ${path}:${line}: the secret has fewer than ${STRONG_LENGTH} characters, which can be guessed: ` +
      "put a random one there, as from: openssl rand -base64 24",
  );
}

// Checked on the open file, so that nobody swaps it between the check and the reading.
async function checkFile(file: FileHandle, what: string, path: string): Promise<void> {
  const status = await file.stat();
  if (!status.isFile()) throw new CommandFailure("config", `${what}: this is not a regular file`);
  if (status.size > MAX_FILE_OCTETS)
    throw new CommandFailure("config", `${what}: larger than 64 KiB: not a secrets file`);
  const mode = (status.mode & 0o777).toString(8).padStart(4, "0");
  if ((status.mode & FORBIDDEN_MODE) !== 0) {
    const message = `${what} has mode ${mode}: others can read or change it: run chmod 600 ${path}`;
    throw new CommandFailure("config", message);
  }
}

function parseSecrets(text: string, what: string): SecretsFile {
  const lines = text
    .split(/\r?\n/)
    .map((line, index) => ({ number: index + 1, secret: line.trim() }))
    .filter((line) => line.secret !== "" && !line.secret.startsWith("#"));
  if (lines.length === 0) {
    throw new CommandFailure(
      "config",
      `${what} holds no secret: put one on a line, as from: openssl rand -base64 24`,
    );
  }
  return {
    secrets: lines.map((line) => line.secret),
    weakLines: lines.filter((line) => line.secret.length < STRONG_LENGTH).map((line) => line.number),
  };
}
