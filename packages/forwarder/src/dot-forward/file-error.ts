// What an error of the file system means for the mail: a file that is not there, or a disk that may come back.
// Called by homes.ts and read-forward.ts.

/** Nobody knows what the user wants: the mail waits (451 4.3.0). */
export interface Unavailable {
  readonly kind: "unavailable";
  /** For the log. */
  readonly cause: string;
}

export function unavailable(name: string, why: string): Unavailable {
  return { kind: "unavailable", cause: `${name}: ${why}` };
}

/** The only two errors that say "there is no such file". */
export function isMissing(error: unknown): boolean {
  const code = fieldOf(error, "code");
  return code === "ENOENT" || code === "ENOTDIR";
}

/**
 * EACCES, EIO, ESTALE and the like become a value; a bug, which has no such code, stays an exception. The system's own
 * message names the path, and with it the user: only its code and its system call are told.
 */
export function asUnavailable(name: string, error: unknown): Unavailable {
  const code = fieldOf(error, "code");
  if (!/^E[A-Z0-9]{1,20}$/.test(code)) throw error;
  const call = fieldOf(error, "syscall");
  return unavailable(name, /^[a-z0-9_]{1,20}$/.test(call) ? `${code} ${call}` : code);
}

function fieldOf(error: unknown, field: "code" | "syscall"): string {
  return error instanceof Error && field in error ? String(error[field as keyof Error]) : "";
}
