// What the service manager is told, sd_notify(3): ready, stopping, and one line of status. Called by `homing
// serve`. The socket takes UNIX datagrams, and Node has none: systemd's own systemd-notify(1) sends them.
import { execFile } from "node:child_process";
import { printable } from "@homing/srs-core";

/** `NAME=value`, one of the assignments that sd_notify(3) lists. */
export type Assignment = `${string}=${string}`;

export type Notified =
  | { readonly kind: "sent" }
  /** No service manager waits for us. */
  | { readonly kind: "no-manager" }
  | { readonly kind: "failed"; readonly cause: string };

/** Resolves when the service manager has read it. Never rejects. */
export type Notify = (assignments: readonly Assignment[]) => Promise<Notified>;

/** A manager that does not read its socket must not hold up mail. */
const TIMEOUT_MS = 5_000;

export function ready(status: string): Assignment[] {
  return ["READY=1", statusLine(status)];
}

export function stopping(status: string): Assignment[] {
  return ["STOPPING=1", statusLine(status)];
}

/** A line end would begin another assignment. */
function statusLine(status: string): Assignment {
  return `STATUS=${printable(status)}`;
}

/**
 * systemd-notify waits until the manager has read the message (BARRIER=1), so that it is still there when the manager
 * asks whose the message is. It is a child of ours: the unit needs NotifyAccess=all.
 */
export function createNotify(environment: Readonly<Record<string, string | undefined>>): Notify {
  const { NOTIFY_SOCKET, PATH } = environment;
  if (!NOTIFY_SOCKET) return async () => ({ kind: "no-manager" });
  // Nothing else of our environment, LISTEN_FDS for one, is the child's business.
  const env = { NOTIFY_SOCKET, ...(PATH === undefined ? {} : { PATH }) };
  const options = { env, timeout: TIMEOUT_MS, killSignal: "SIGKILL" } as const;
  return (assignments) =>
    new Promise((resolve) => {
      execFile("systemd-notify", assignments, options, (error, _stdout, stderr) => {
        if (!error) resolve({ kind: "sent" });
        else resolve({ kind: "failed", cause: causeOf(error, stderr) });
      });
    });
}

function causeOf(error: { readonly code?: unknown; readonly killed?: boolean }, stderr: string): string {
  if (error.code === "ENOENT")
    return "systemd-notify is not on PATH: install systemd, or unset NOTIFY_SOCKET";
  if (error.killed === true) return `the service manager did not answer within ${TIMEOUT_MS / 1000} s`;
  return printable(stderr.trim()) || `systemd-notify exited with ${String(error.code)}`;
}
