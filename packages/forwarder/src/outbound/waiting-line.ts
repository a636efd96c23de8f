// Who waits for a connection to one server: clients before jobs of the spool, but for every fifth turn, each kind in
// the order of coming. Called by destination.ts.
import type { Clock } from "./clock.ts";
import type { Hop } from "./connections.ts";
import type { Patience } from "./outbound.ts";

export type Kind = Patience["kind"];

/** How the wait of somebody ended without a connection. */
export type InVain =
  | "too-long"
  /** Nobody may wait any more. */
  | "full"
  | "no-server"
  | "no-server-yet"
  | "pause"
  | "time-is-up"
  | "closed";

interface Waiter<T> {
  readonly hop: Hop;
  readonly leave: (with_: T | InVain) => void;
}

export interface WaitingLine<T> {
  readonly length: number;
  readonly clients: number;
  /** Is anybody there whose turn is before that of a newcomer of this kind? */
  before(kind: Kind): boolean;
  /** Whose turn is it, and whose if that one can have none now? */
  next(): readonly Kind[];
  /** What the next one of this kind waits for. */
  hopOfNext(kind: Kind): Hop | undefined;
  /** Ends the wait of the next one of this kind. */
  serve(kind: Kind, with_: T): void;
  join(options: {
    readonly kind: Kind;
    readonly hop: Hop;
    readonly withinMs: number;
    readonly timeIsUp: AbortSignal | undefined;
  }): Promise<T | InVain>;
  /** All of this kind leave in vain. */
  dismiss(kind: Kind, why: InVain): void;
  /** Everybody leaves in vain. */
  close(): void;
}

/** A client holds its session open meanwhile; but mail in the queue must not wait for ever for a pause between clients. */
const CLIENTS_BEFORE_A_JOB = 4;
const CLIENTS_FIRST: readonly Kind[] = ["waiting-client", "queue"];
const JOBS_FIRST: readonly Kind[] = ["queue", "waiting-client"];

export function createWaitingLine<T>(clock: Clock): WaitingLine<T> {
  // A set keeps the order, and lets go of whoever leaves from its middle.
  const clients = new Set<Waiter<T>>();
  const jobs = new Set<Waiter<T>>();
  let clientsSinceJob = 0;
  const lineOf = (kind: Kind): Set<Waiter<T>> => (kind === "queue" ? jobs : clients);

  return {
    get length() {
      return clients.size + jobs.size;
    },
    get clients() {
      return clients.size;
    },
    before: (kind) => clients.size > 0 || (kind === "queue" && jobs.size > 0),
    next() {
      const order = clientsSinceJob < CLIENTS_BEFORE_A_JOB ? CLIENTS_FIRST : JOBS_FIRST;
      return order.filter((kind) => lineOf(kind).size > 0);
    },
    hopOfNext(kind) {
      const [first] = lineOf(kind);
      return first?.hop;
    },
    serve(kind, with_) {
      clientsSinceJob = kind === "queue" || jobs.size === 0 ? 0 : clientsSinceJob + 1;
      const [first] = lineOf(kind);
      first?.leave(with_);
    },
    join({ kind, hop, withinMs, timeIsUp }) {
      const line = lineOf(kind);
      return new Promise((resolve) => {
        const waiter: Waiter<T> = {
          hop,
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
    dismiss(kind, why) {
      for (const waiter of lineOf(kind)) waiter.leave(why);
    },
    close() {
      for (const waiter of [...clients, ...jobs]) waiter.leave("closed");
    },
  };
}
