// What becomes of a message that came in whole: delivery by trust. Nothing is acknowledged that nobody holds, and a sender
// who may be forged never makes us owe a bounce (ADR 0019). Called by receive.ts.
import { type Content, type Reply, withFields } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import type { Copy } from "../copies.ts";
import type { Delivery } from "../deliver.ts";
import type { Patience } from "../outbound/outbound.ts";
import type { Outcome } from "../queue/next-step.ts";
import type { Queue, Taken } from "../queue/queue.ts";
import { type AttemptCopy, type CopyAttempt, outcomeOf, toClient } from "./attempt-copy.ts";
import { fieldsOf, type Incoming, type Lead } from "./incoming.ts";
import type { LateSuccesses } from "./late-successes.ts";

export interface HandOverOptions {
  readonly attempt: AttemptCopy;
  /** Without one, all mail is delivered while its client waits. */
  readonly queue: Queue | undefined;
  readonly late: LateSuccesses;
  /** Verified mail goes to the disk first, whatever its number of recipients. */
  readonly spoolFirst: boolean;
  readonly waits: Waits;
  /** Aborts when the service stops. */
  readonly stopping: AbortSignal;
  /** For an attempt that outlives its client: aborts when it takes too long, and when the service stops. */
  readonly attemptLimit: () => AbortSignal;
  /** Of a message in the queue, in seconds. */
  readonly life: number;
  readonly now: () => UnixSeconds;
  /** Aborts after so many seconds. */
  readonly timeLimit: (seconds: number) => AbortSignal;
  readonly delivered: (id: string, copy: Copy, delivery: Delivery) => void;
  /** A next hop's last word, which the client hears: what the queue goes on with is told there. */
  readonly refused: (mail: Incoming, lead: Lead, copy: Copy, delivery: Delivery) => void;
}

/** How long a client waits for us, from its final dot. */
export interface Waits {
  /** One whose sender is verified, before its message goes to the queue. Seconds. */
  readonly verified: number;
  /** All others. Seconds; it must stay well below the client's own ten minutes (RFC 5321 §4.5.3.2.6). */
  readonly unverified: number;
  /** For a free connection, before a verified message goes to the queue. Milliseconds. */
  readonly freeConnectionMs: number;
}

export const WAITS: Waits = { verified: 15, unverified: 240, freeConnectionMs: 1000 };

/** An attempt that is under way. */
export interface Running {
  readonly outcome: Promise<Outcome>;
  /** Resolves when its next hop may have the message; for one that has no final dot, never. */
  readonly finalDot: Promise<void>;
}

/** Starts an attempt; its content lives until it is over. */
export function runAttempt(
  options: Pick<HandOverOptions, "attempt" | "delivered" | "stopping">,
  mail: Incoming,
  lead: Lead,
  copy: Copy,
  { timeIsUp, patience }: { readonly timeIsUp: AbortSignal; readonly patience: Patience },
): Running {
  const finalDot = Promise.withResolvers<void>();
  let dotSent = false;
  const content: Content = withFields(mail.content, [fieldsOf(lead, copy)]);
  const attempt: CopyAttempt = {
    copy,
    promise: mail.command,
    content,
    patience,
    timeIsUp,
    onFinalDot: () => {
      dotSent = true;
      finalDot.resolve();
    },
  };
  content.hold();
  const outcome = options
    .attempt(attempt)
    .then((attempted) => {
      options.delivered(mail.id, copy, toClient(attempted));
      return outcomeOf(attempted, options.stopping.aborted && timeIsUp.aborted && !dotSent);
    })
    .finally(() => content.release());
  return { outcome, finalDot: finalDot.promise };
}

const NO_ROOM: Reply = {
  code: 452,
  enhanced: "4.3.1",
  text: "no room for the message just now, try again later",
};
export const NOT_KEPT: Reply = {
  code: 451,
  enhanced: "4.3.0",
  text: "the message could not be kept, try again later",
};
export const KEPT: Reply = { code: 250, enhanced: "2.0.0", text: "kept, and on its way" };

/** To the client whose message went to the queue, or should have. */
export function keptReply(kept: Taken): Reply {
  if (kept.kind === "stored") return KEPT;
  return kept.kind === "no-room" ? NO_ROOM : NOT_KEPT;
}
