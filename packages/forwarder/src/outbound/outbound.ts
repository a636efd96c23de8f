// Connections to next hops, pooled: reused, bounded in number, slower where a server asks for it. Called by deliver.ts.
import type { NextHop } from "../next-hops.ts";
import { openConnection, type SocketPath } from "../smtp-out.ts";
import type { Attempt, AttemptOptions } from "./attempt.ts";
import type { Clock } from "./clock.ts";
import { createDestination, type Destination, type Total } from "./destination.ts";
import { OUTBOUND_LIMITS, type OutboundLimits } from "./outbound-limits.ts";

/** Who waits for a free connection, and how long. */
export type Patience =
  /** A client of ours holds its session open. Default: 1,000. */
  | { readonly kind: "waiting-client"; readonly freeWithinMs?: number }
  /** A job of the spool. Default: 30,000. */
  | { readonly kind: "queue"; readonly freeWithinMs?: number };

/** No connection was free in time: nothing was tried, and nothing is known about the server. */
export interface Busy {
  readonly kind: "busy";
  readonly cause: string;
  /** All of the patience went into that. */
  readonly hasWaited?: boolean | undefined;
}

export interface OutboundSubmission extends AttemptOptions {
  readonly hop: NextHop | SocketPath;
  /** Default: SMTP. */
  readonly protocol?: "smtp" | "lmtp";
  readonly patience: Patience;
}

export interface Outbound {
  /** Never rejects for what the world does. */
  submit(submission: OutboundSubmission): Promise<Attempt | Busy>;
  /**
   * QUIT to the idle connections, `busy` to all who wait; resolves when the busy connections are done, too. A server that
   * has a message may take ten minutes to say so: `leave` ends the connections that are left.
   */
  close(leave?: AbortSignal): Promise<void>;
}

export interface OutboundOptions {
  /** Our name in EHLO. */
  readonly hostname: string;
  readonly clock: Clock;
  /** 0 ≤ n < 1: spreads the ends of pauses. */
  readonly random: () => number;
  /** PEM certificates to trust in place of the system's. */
  readonly ca?: string | undefined;
  readonly limits?: Partial<OutboundLimits>;
}

export function createOutbound(options: OutboundOptions): Outbound {
  const limits = { ...OUTBOUND_LIMITS, ...options.limits };
  const destinations = new Map<string, Destination>();
  const total = createTotal(limits.maxTotal, destinations);
  let closed = false;

  function destinationOf({ hop, protocol = "smtp" }: OutboundSubmission): Destination {
    const key = serverOf(hop, protocol);
    const known = destinations.get(key);
    if (known) return known;
    const { hostname, ca, clock, random } = options;
    const made = createDestination({
      limits,
      clock,
      random,
      total,
      open: (submission, timeIsUp) =>
        openConnection({ server: submission.hop, protocol, hostname, ca, timeIsUp }),
    });
    forgetSome(destinations);
    destinations.set(key, made);
    return made;
  }

  return {
    submit(submission) {
      if (!closed) return destinationOf(submission).submit(submission);
      return Promise.resolve({ kind: "busy", cause: "the service is stopping" });
    },
    close(leave) {
      closed = true;
      const all = [...destinations.values()];
      for (const destination of all) destination.close();
      const leaveAll = (): void => {
        for (const destination of all) destination.leave();
      };
      if (leave?.aborted) leaveAll();
      leave?.addEventListener("abort", leaveAll);
      return total.none();
    },
  };
}

/** A server counts connections, whatever name it has for whoever opens them. */
function serverOf(hop: NextHop | SocketPath, protocol: string): string {
  return "path" in hop ? `${protocol} ${hop.path}` : `${protocol} ${hop.host} ${hop.port}`;
}

/** A new destination looks after two old ones, so that the map grows with what is in use and not with history. */
function forgetSome(destinations: Map<string, Destination>): void {
  for (let looked = 0; looked < 2; looked++) {
    const [oldest] = destinations;
    if (!oldest) return;
    const [key, destination] = oldest;
    destinations.delete(key);
    // Back to the end: the next ones have their turn.
    if (!destination.forgettable) destinations.set(key, destination);
  }
}

function createTotal(
  maxTotal: number,
  destinations: ReadonlyMap<string, Destination>,
): Total & { readonly none: () => Promise<void> } {
  const wanting = new Set<Destination>();
  const over = Promise.withResolvers<void>();
  let count = 0;
  let ending = false;
  return {
    isWantedBeside: (destination) => wanting.size > (wanting.has(destination) ? 1 : 0),
    take(destination) {
      wanting.delete(destination);
      if (count < maxTotal) {
        count++;
        return true;
      }
      wanting.add(destination);
      for (const other of destinations.values()) if (other.dropIdle()) break;
      return false;
    },
    giveBack() {
      count--;
      if (ending && count === 0) over.resolve();
      for (const destination of [...wanting]) {
        if (count >= maxTotal) return;
        // Those who waited there may have left.
        wanting.delete(destination);
        destination.pump();
      }
    },
    none() {
      ending = true;
      if (count === 0) over.resolve();
      return over.promise;
    },
  };
}
