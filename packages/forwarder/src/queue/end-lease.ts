// The end of a lease when what became of its attempt could not be written down: in the plainest transaction, without the DSN and
// the notes that may have been what is wrong. Else the recipient would be nobody's until the next start. Called by queue.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { Clock } from "../outbound/clock.ts";
import type { Job, Lease, Spool } from "../spool/spool.ts";
import { whenAborted } from "../when-aborted.ts";
import { type Outcome, type QueueTimes, retryDelay } from "./next-step.ts";

export interface EndLeaseOptions {
  readonly spool: Pick<Spool, "done" | "retry">;
  readonly clock: Clock;
  readonly now: () => UnixSeconds;
  readonly random: () => number;
  readonly times: QueueTimes;
  readonly failed: (error: unknown) => void;
  /** Ends the tries: at the next start all leases have ended. */
  readonly stopping: AbortSignal;
}

/** As little as it takes: it may stay in memory for a day. */
export interface LeaseToEnd {
  readonly lease: Lease;
  readonly received: UnixSeconds;
  /** Its next hop has the message: another attempt would be a second copy. */
  readonly isDelivered: boolean;
}

/** Of an attempt that a bug ended. RFC 3463: 4.3.0 other mail system status. The log has what it was. */
export const LOCAL_ERROR = {
  ...{ kind: "failed", code: 451, enhanced: "4.3.0", hop: "" },
  detail: "a local error, which is in the log",
} as const satisfies Outcome;

/** Before each further try: what is broken for a moment, for an update, for a night. */
const PAUSES_SECONDS = [10, 60, 600, 3600, 6 * 3600, 18 * 3600];

export function leaseToEnd({ lease, message }: Job, outcome: Outcome): LeaseToEnd {
  return { lease, received: message.received, isDelivered: outcome.kind === "delivered" };
}

/** Never rejects: after the last try the lease stays until the next start. */
export async function endLease(options: EndLeaseOptions, toEnd: LeaseToEnd): Promise<void> {
  if (await tryToEnd(options, toEnd)) return;
  for (const seconds of PAUSES_SECONDS) {
    await pause(options, seconds);
    if (options.stopping.aborted || (await tryToEnd(options, toEnd))) return;
  }
}

async function tryToEnd(
  { spool, now, random, times, failed }: EndLeaseOptions,
  { lease, received, isDelivered }: LeaseToEnd,
): Promise<boolean> {
  const { code, enhanced, detail } = LOCAL_ERROR;
  try {
    // False where somebody else settled the recipient: it is over, too.
    if (isDelivered) await spool.done(lease);
    else
      await spool.retry(lease, {
        due: now() + retryDelay(now() - received, random(), times),
        ...{ code, enhanced, detail },
      });
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

/** Ends early when the service stops. */
async function pause({ clock, stopping }: EndLeaseOptions, seconds: number): Promise<void> {
  if (stopping.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(seconds * 1000, resolve);
  const leave = whenAborted(stopping, resolve);
  await promise;
  cancel();
  leave();
}
