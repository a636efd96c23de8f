// What an error of the file system means for the mail: a file that is not there, or a disk that may come back.
// Called by homes.ts and read-forward.ts.

/** Nobody knows what the user wants: the mail waits (451 4.3.0). */
export interface Unavailable {
  readonly kind: "unavailable";
  /** For the log. */
  readonly cause: string;
}

/** The only two errors that say "there is no such file". */
export function isMissing(error: unknown): boolean {
  const code = codeOf(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

/** EACCES, EIO, ESTALE and the like become a value; a bug, which has no such code, stays an exception. */
export function asUnavailable(path: string, error: unknown): Unavailable {
  const code = codeOf(error);
  if (!/^E[A-Z0-9]{1,20}$/.test(code)) throw error;
  return { kind: "unavailable", cause: `${path}: ${code}` };
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
