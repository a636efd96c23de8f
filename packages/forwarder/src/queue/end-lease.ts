// The end of a lease when what became of its attempt could not be written down: in the plainest transaction, without the DSN and
// the notes that may have been what is wrong. Else the recipient would be nobody's until the next start. Called by queue.ts.
import { type ReversePath, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Clock } from "../outbound/clock.ts";
import type { Job, Lease, Recipient, Spool } from "../spool/spool.ts";
import { whenAborted } from "../when-aborted.ts";
import { type ConcludeOptions, isTooLateToTell, whoGoesWithout } from "./conclude.ts";
import { EXPIRED, type Outcome, retryDelay } from "./next-step.ts";

export interface EndLeaseOptions
  extends Pick<ConcludeOptions, "now" | "random" | "times" | "report" | "ownFailures" | "startedAt"> {
  readonly spool: Pick<Spool, "done" | "retry" | "fail">;
  readonly clock: Clock;
  readonly failed: (error: unknown) => void;
  /** Ends the tries: at the next start all leases have ended. */
  readonly stopping: AbortSignal;
}

/** As little as it takes: it may stay in memory for a day. */
export interface LeaseToEnd {
  readonly lease: Lease;
  readonly sender: ReversePath;
  readonly recipient: Recipient;
  readonly received: UnixSeconds;
  readonly expires: UnixSeconds;
  /** What is said of it if it is given up. */
  readonly enhanced: string;
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

export function leaseToEnd({ lease, message, recipient }: Job, outcome: Outcome): LeaseToEnd {
  const { sender, received, expires } = message;
  const isRefused = outcome.kind === "failed" && outcome.code >= 500;
  return {
    ...{ lease, sender, recipient, received, expires },
    enhanced: isRefused ? outcome.enhanced : EXPIRED,
    isDelivered: outcome.kind === "delivered",
  };
}

/** Never rejects: after the last try the lease stays until the next start. */
export async function endLease(options: EndLeaseOptions, toEnd: LeaseToEnd): Promise<void> {
  if (await tryToEnd(options, toEnd)) return;
  for (const seconds of PAUSES_SECONDS) {
    await pause(options, seconds);
    if (options.stopping.aborted || (await tryToEnd(options, toEnd))) return;
  }
}

async function tryToEnd(options: EndLeaseOptions, toEnd: LeaseToEnd): Promise<boolean> {
  const { spool, stopping, failed } = options;
  try {
    // False where somebody else settled the recipient: it is over, too.
    if (toEnd.isDelivered) await spool.done(toEnd.lease);
    // What the end of the service cut is tried once more.
    else if (isTooLateToTell(options, toEnd.expires) && !stopping.aborted) await giveUp(options, toEnd);
    else await tryAgain(options, toEnd);
    return true;
  } catch (error) {
    failed(error);
    return false;
  }
}

async function tryAgain(
  { spool, now, random, times }: EndLeaseOptions,
  { lease, received }: LeaseToEnd,
): Promise<void> {
  const { code, enhanced, detail } = LOCAL_ERROR;
  const due = now() + retryDelay(now() - received, random(), times);
  await spool.retry(lease, { due, code, enhanced, detail });
}

/** Where it is this very message that cannot be written down, it would be tried for ever. */
async function giveUp(options: EndLeaseOptions, toEnd: LeaseToEnd): Promise<void> {
  const { lease, sender, recipient, enhanced } = toEnd;
  if (!(await options.spool.fail(lease))) return;
  const names = { id: lease.messageId, target: renderMailbox(recipient.mailbox) };
  options.report({ event: "given-up", ...names, attempts: lease.attempt, enhanced });
  const to = await whoGoesWithout(options, { sender }, recipient);
  if (to) options.report({ event: "nobody-told", ...names, to: renderMailbox(to) });
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
