// One attempt for one copy of a message, whoever waits for it. Called by the files beside this one and by the queue;
// forwarder.ts has the implementation.
import type { Content, ContentPromise } from "@homing/mail";
import type { Copy } from "../copies.ts";
import { BUSY_STATUS, type Delivery } from "../deliver.ts";
import type { AttemptHooks } from "../outbound/attempt.ts";
import type { Busy, Patience } from "../outbound/outbound.ts";
import type { Outcome } from "../queue/next-step.ts";

export interface CopyAttempt extends AttemptHooks {
  readonly copy: Pick<Copy, "mailbox" | "reversePath" | "stays">;
  readonly promise: ContentPromise;
  /** With our Received field. */
  readonly content: Content;
  readonly patience: Patience;
}

/** Never rejects for what the world does. */
export type AttemptCopy = (attempt: CopyAttempt) => Promise<Delivery | Busy>;

/**
 * What it counts for in the queue, whoever began it: what we cut ourselves is no word of the next hop's.
 * @param isCut by the end of the service, before its final dot
 */
export function outcomeOf(attempted: Delivery | Busy, isCut: boolean): Outcome {
  if (attempted.kind === "busy") return { kind: "put-off", cause: attempted.cause };
  if (isCut && attempted.kind === "failed" && attempted.code < 500)
    return { kind: "put-off", cause: attempted.detail };
  return attempted;
}

/** To a client who waits for it. */
export function toClient(outcome: Outcome | Busy): Delivery {
  if (outcome.kind === "delivered" || outcome.kind === "failed") return outcome;
  return { kind: "failed", ...BUSY_STATUS, hop: "", detail: outcome.cause };
}
