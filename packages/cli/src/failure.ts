// How a command ends when it cannot do its work: one message for a person, one exit code for a script.
// Thrown by commands, caught once in main.ts.
import { statSync } from "node:fs";
import { dirname } from "node:path";

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

/** The words for a port or a UNIX socket that cannot be had. @param place HOST:PORT, or unix:/path */
export function listenFailure(error: unknown, place: string, remedy: string): CommandFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (isFailed(error, "chown")) return ownerFailure(code, place);
  const obstacle = place.startsWith("unix:") ? obstacleAt(place.slice("unix:".length)) : undefined;
  if (obstacle !== undefined) return new CommandFailure("config", `${place}: ${obstacle}, or ${remedy}`);
  if (code === "EADDRINUSE") {
    return new CommandFailure("unavailable", `${place} is taken by another program: stop it, or ${remedy}`);
  }
  if (code === "EACCES") {
    return new CommandFailure("permission", `${place} is not allowed to this user: ${remedy}`);
  }
  const why = error instanceof Error ? error.message : String(error);
  return new CommandFailure("unavailable", `cannot listen on ${place}: ${why}: ${remedy}`);
}

function isFailed(error: unknown, syscall: string): boolean {
  return error instanceof Error && "syscall" in error && error.syscall === syscall;
}

/** In a user namespace (PrivateUsers=yes) other accounts do not exist: EINVAL, whatever rights there are. */
function ownerFailure(code: string, place: string): CommandFailure {
  return new CommandFailure(
    code === "EPERM" ? "permission" : "config",
    `${place}: the service may not give this socket its owner or group (${code}): take owner and group out of the ` +
      "adapter's settings, and let the folder give the group: chgrp GROUP FOLDER, chmod 2770 FOLDER",
  );
}

/** What is in the way of a socket, and what to do. Node says EACCES for a folder that is not there, as for a forbidden one. */
export function obstacleAt(path: string): string | undefined {
  const folder = dirname(path);
  const found = kindAt(folder);
  if (found === "nothing") return `the folder ${folder} is not there: make it`;
  if (found === "else") return `${folder} is no folder: put a folder there`;
  const inTheWay = kindAt(path);
  if (inTheWay === "folder") return `${path} is a folder: name a file in it`;
  return inTheWay === "else" ? `${path} is there, and is no socket: remove it` : undefined;
}

/** What cannot be looked at is not judged. A link is what it leads to. */
function kindAt(path: string): "folder" | "socket" | "nothing" | "else" | undefined {
  try {
    const status = statSync(path);
    if (status.isDirectory()) return "folder";
    return status.isSocket() ? "socket" : "else";
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "ENOENT" ? "nothing" : undefined;
  }
}
