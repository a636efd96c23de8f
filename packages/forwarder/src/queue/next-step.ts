// What follows from an attempt for one recipient in the queue: over, again, or given up. Pure. Called by conclude.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { Delivery } from "../deliver.ts";

/** How long mail is tried, and how often. All in seconds. */
export interface QueueTimes {
  /** The life of a message of somebody's. RFC 5321 §4.5.4.1 asks for four or five days. */
  readonly mail: number;
  /** The life of a DSN of ours. */
  readonly dsn: number;
  /** After so long without success, the sender is told that it takes time. */
  readonly delayNotice: number;
  readonly firstRetry: number;
  readonly maxRetry: number;
}

const HOUR = 3600;
const DAY = 24 * HOUR;

/** Together the lives stay below the seven days of a BATV tag, which a sender's own address may carry. */
export const QUEUE_TIMES: QueueTimes = {
  mail: 4 * DAY,
  dsn: 2 * DAY,
  delayNotice: 4 * HOUR,
  firstRetry: 5 * 60,
  maxRetry: HOUR,
};

/** What an attempt found; `put-off` where nothing was tried: no free connection, or the service stops. */
export type Outcome = Delivery | { readonly kind: "put-off"; readonly cause: string };

/** Where a recipient stands before the attempt's outcome. */
export interface Standing {
  readonly received: UnixSeconds;
  readonly expires: UnixSeconds;
  /** Nobody waits for a notice, or it was sent. */
  readonly delayTold: boolean;
}

export type NextStep =
  | { readonly kind: "done" }
  /** It counts for nothing: neither is it late, nor does the next one come later. */
  | { readonly kind: "put-off"; readonly due: UnixSeconds }
  | { readonly kind: "retry"; readonly due: UnixSeconds; readonly tellDelay: boolean }
  | { readonly kind: "give-up"; readonly enhanced: string };

/** The next moment, but not all at the same. */
const PUT_OFF_SECONDS = 10;
/** RFC 3463: 4.4.7 delivery time expired. */
const EXPIRED = "4.4.7";

export function nextStep(
  standing: Standing,
  outcome: Outcome,
  { now, random, times }: { readonly now: UnixSeconds; readonly random: number; readonly times: QueueTimes },
): NextStep {
  if (outcome.kind === "delivered") return { kind: "done" };
  if (outcome.kind === "put-off")
    return { kind: "put-off", due: now + Math.round(PUT_OFF_SECONDS * (0.5 + random)) };
  if (outcome.code >= 500) return { kind: "give-up", enhanced: outcome.enhanced };
  if (now >= standing.expires) return { kind: "give-up", enhanced: EXPIRED };
  // The last attempt is at the very end, so that the life is what it is said to be.
  const due = Math.min(now + retryDelay(now - standing.received, random, times), standing.expires);
  const tellDelay = !standing.delayTold && now - standing.received >= times.delayNotice;
  return { kind: "retry", due, tellDelay };
}

/**
 * As long again as it took until now, as Postfix has it: so it doubles from attempt to attempt, and what was put off on the
 * way makes no difference.
 * @param random 0 ≤ n < 1: a quarter more or less, so that what failed together does not come back together
 */
export function retryDelay(
  age: number,
  random: number,
  { firstRetry, maxRetry }: Pick<QueueTimes, "firstRetry" | "maxRetry">,
): number {
  const plain = Math.min(maxRetry, Math.max(firstRetry, age));
  return Math.max(1, Math.round(plain * (0.75 + random / 2)));
}
