// How a command ends when it cannot do its work: one message for a person, one exit code for a script.
// Thrown by commands, caught once in main.ts.

/** The contract that scripts rely on (docs/cli.md); 69 to 78 are sysexits(3). */
export const EXIT = {
  ok: 0,
  /** A negative answer: bad tag, refused message. */
  negative: 1,
  usage: 2,
  unavailable: 69,
  /** A bug of ours. */
  software: 70,
  temporary: 75,
  permission: 77,
  config: 78,
} as const;

export type FailureReason = Exclude<keyof typeof EXIT, "ok">;

export class CommandFailure extends Error {
  readonly reason: FailureReason;

  /** @param message one or more lines: what, why and what to do */
  constructor(reason: FailureReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

/** The words for an error of the operating system at `what`. */
export function systemFailure(what: string, error: unknown): CommandFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ENOENT") return new CommandFailure("config", `${what}: there is no such file`);
  if (code === "EISDIR") return new CommandFailure("config", `${what}: this is a directory, not a file`);
  if (code === "EACCES" || code === "EPERM") {
    return new CommandFailure(
      "permission",
      `${what}: not allowed to this user: give it the right, or run as another user`,
    );
  }
  return new CommandFailure("config", `${what}: ${error instanceof Error ? error.message : String(error)}`);
}

/** The words for a port that cannot be had. */
export function listenFailure(error: unknown, place: string, remedy: string): CommandFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "EADDRINUSE") {
    return new CommandFailure("unavailable", `${place} is taken by another program: stop it, or ${remedy}`);
  }
  if (code === "EACCES") {
    return new CommandFailure("permission", `${place} is not allowed to this user: ${remedy}`);
  }
  const why = error instanceof Error ? error.message : String(error);
  return new CommandFailure("unavailable", `cannot listen on ${place}: ${why}: ${remedy}`);
}
