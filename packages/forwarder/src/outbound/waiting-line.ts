// Who waits for a connection to one destination: clients before jobs of the spool, each kind in the order of coming.
// Called by destination.ts.
import type { Clock } from "./clock.ts";
import type { Patience } from "./outbound.ts";

export type Kind = Patience["kind"];

/** How the wait of somebody ended without a connection. */
export type InVain = "too-long" | "time-is-up" | "closed";

interface Waiter<T> {
  readonly leave: (with_: T | InVain) => void;
}

export interface WaitingLine<T> {
  readonly length: number;
  /** Is anybody there whose turn is before that of a newcomer of this kind? */
  before(kind: Kind): boolean;
  /** Whose turn is it? */
  next(): Kind | undefined;
  /** Ends the wait of the next one of this kind. */
  serve(kind: Kind, with_: T): void;
  join(options: { kind: Kind; withinMs: number; timeIsUp: AbortSignal | undefined }): Promise<T | InVain>;
  /** Everybody leaves in vain. */
  close(): void;
}

export function createWaitingLine<T>(clock: Clock): WaitingLine<T> {
  // A set keeps the order, and lets go of whoever leaves from its middle.
  const clients = new Set<Waiter<T>>();
  const jobs = new Set<Waiter<T>>();
  const lineOf = (kind: Kind): Set<Waiter<T>> => (kind === "queue" ? jobs : clients);

  return {
    get length() {
      return clients.size + jobs.size;
    },
    before: (kind) => clients.size > 0 || (kind === "queue" && jobs.size > 0),
    next() {
      if (clients.size > 0) return "waiting-client";
      return jobs.size > 0 ? "queue" : undefined;
    },
    serve(kind, with_) {
      const [first] = lineOf(kind);
      first?.leave(with_);
    },
    join({ kind, withinMs, timeIsUp }) {
      const line = lineOf(kind);
      return new Promise((resolve) => {
        const waiter: Waiter<T> = {
          leave(with_) {
            cancel();
            timeIsUp?.removeEventListener("abort", abort);
            line.delete(waiter);
            resolve(with_);
          },
        };
        const abort = (): void => waiter.leave("time-is-up");
        const cancel = clock.after(withinMs, () => waiter.leave("too-long"));
        timeIsUp?.addEventListener("abort", abort);
        line.add(waiter);
      });
    },
    close() {
      for (const waiter of [...clients, ...jobs]) waiter.leave("closed");
    },
  };
}
