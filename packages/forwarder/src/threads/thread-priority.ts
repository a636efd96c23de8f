// Clients first, where cores are short. The thread that speaks with clients decides in microseconds, and everything waits for it;
// the spool's and SMTP out's have work that is better done together, later (measured, ADR 0030). Called by
// spool/writer-thread.ts and outbound/thread/smtp-thread.ts, each for itself.
import { getPriority, setPriority } from "node:os";

/** Steps of `nice`, a third of the share of a thread without. Beside idle cores it means nothing. */
const STEPS = 5;
/** The system's last. */
const LAST = 19;
/** The calling thread: what elsewhere is the whole process is one thread for Linux. */
const SELF = 0;

export function goBehindClients(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(SELF, Math.min(getPriority(SELF) + STEPS, LAST));
  } catch {
    // A sandbox may forbid it: then all have equal shares.
  }
}
