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
export type Outcome = Delivery | PutOff;

export interface PutOff {
  readonly kind: "put-off";
  readonly cause: string;
}

/** Where a recipient stands before the attempt's outcome. */
export interface Standing {
  readonly received: UnixSeconds;
  readonly expires: UnixSeconds;
  /** Nobody waits for a notice, or it was sent. */
  readonly delayTold: boolean;
}

/** What else decides. */
export interface StepWorld {
  readonly now: UnixSeconds;
  /** 0 ≤ n < 1. */
  readonly random: number;
  readonly times: QueueTimes;
  /** When this process began. */
  readonly startedAt: UnixSeconds;
  /** The service stops: what was put off may have been cut by that. */
  readonly isStopping: boolean;
}

export type NextStep =
  | { readonly kind: "done" }
  /** It was no attempt: the next one comes no later for it. */
  | { readonly kind: "put-off"; readonly due: UnixSeconds; readonly tellDelay: boolean }
  | { readonly kind: "retry"; readonly due: UnixSeconds; readonly tellDelay: boolean }
  | { readonly kind: "give-up"; readonly enhanced: string };

/** The next moment, but not all at the same: so long, and up to twice the same on top. */
const PUT_OFF_SECONDS = 5;
/**
 * So long behind its expiry, what was always put off is given up. Counted from the start of the process at the earliest: what
 * expired while the service was down is tried before, and its destination may have more than can be tried at once.
 */
export const PUT_OFF_GRACE_SECONDS = HOUR;
/** RFC 3463: 4.4.7 delivery time expired. */
export const EXPIRED = "4.4.7";

export function nextStep(standing: Standing, outcome: Outcome, world: StepWorld): NextStep {
  const { now, random, times } = world;
  if (outcome.kind === "delivered") return { kind: "done" };
  if (outcome.kind === "put-off") return afterPutOff(standing, world);
  if (outcome.code >= 500) return { kind: "give-up", enhanced: outcome.enhanced };
  if (now >= standing.expires) return { kind: "give-up", enhanced: EXPIRED };
  // The last attempt is at the very end, so that the life is what it is said to be.
  const due = Math.min(now + retryDelay(now - standing.received, random, times), standing.expires);
  return { kind: "retry", due, tellDelay: isDelayed(standing, world) };
}

function afterPutOff(standing: Standing, world: StepWorld): NextStep {
  const { now, random, startedAt, isStopping } = world;
  const isOver = now >= Math.max(standing.expires, startedAt) + PUT_OFF_GRACE_SECONDS;
  if (isOver && !isStopping) return { kind: "give-up", enhanced: EXPIRED };
  const due = now + Math.round(PUT_OFF_SECONDS * (1 + 2 * random));
  // Behind its expiry it is about to end, one way or the other: the notice would name a time that is over.
  const tellDelay = !isStopping && now < standing.expires && isDelayed(standing, world);
  return { kind: "put-off", due, tellDelay };
}

function isDelayed({ received, delayTold }: Standing, { now, times }: StepWorld): boolean {
  return !delayTold && now - received >= times.delayNotice;
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
