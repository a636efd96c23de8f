// Clients first, where cores are short. The thread that speaks with them decides in microseconds, and everything waits for it; the
// threads beside it have work that is better done together, later. With equal shares on two cores the first one had something
// to do for 97 % of the time and a core for 65 % (50 clients, ADR 0030). Called by spool/writer-thread.ts and
// outbound/thread/smtp-thread.ts, each for itself.
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
    // A sandbox may forbid it: as good as on a system with idle cores.
  }
}
