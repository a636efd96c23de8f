// What the sender wants to be told: his NOTIFY (RFC 3461 §4.1). Pure. Called by whoever writes a DSN, before it is written; that
// the null sender is told nothing, the forwarder's queue decides where it looks for who is told.
import type { DsnAction } from "./dsn.ts";

export type Notify = "never" | readonly ("success" | "failure" | "delay")[];

/** @param notify undefined where the client gave none: then failures and delays are told, as in SMTP without DSN */
export function mayTell(notify: Notify | undefined, action: DsnAction["kind"]): boolean {
  if (notify === "never") return false;
  if (action === "failed") return notify?.includes("failure") ?? true;
  if (action === "delayed") return notify?.includes("delay") ?? true;
  return notify?.includes("success") ?? false;
}
