// One attempt for one copy of a message, whoever waits for it. Called by the files beside this one and by the queue;
// forwarder.ts has the implementation.
import type { Content, ContentPromise } from "@homing/mail";
import type { Copy } from "../copies.ts";
import { BUSY_STATUS, type Delivery } from "../deliver.ts";
import type { AttemptHooks } from "../outbound/attempt.ts";
import type { Busy, Patience } from "../outbound/outbound.ts";

export interface CopyAttempt extends AttemptHooks {
  readonly copy: Pick<Copy, "mailbox" | "reversePath" | "stays">;
  readonly promise: ContentPromise;
  /** With our Received field. */
  readonly content: Content;
  readonly patience: Patience;
}

/** Never rejects for what the world does. */
export type AttemptCopy = (attempt: CopyAttempt) => Promise<Delivery | Busy>;

export function orBusy(outcome: Delivery | Busy): Delivery {
  if (outcome.kind !== "busy") return outcome;
  return { kind: "failed", ...BUSY_STATUS, hop: "", detail: outcome.cause };
}
