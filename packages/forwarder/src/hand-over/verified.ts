// Delivery of mail whose sender is verified: we may owe it a bounce, so what takes time goes to the queue, and the client is
// free. Called by choose-way.ts.
import type { Reply } from "@homing/mail";
import { asciiLower } from "@homing/srs-core";
import { answerFor } from "../answer.ts";
import type { Delivery } from "../deliver.ts";
import type { Queue } from "../queue/queue.ts";
import { earlierTry, keyOf, TAKEN_EARLIER } from "./earlier-try.ts";
import {
  type HandOverOptions,
  joinAttempt,
  KEPT,
  keptReply,
  NOT_KEPT,
  type Running,
  runAttempt,
} from "./hand-over.ts";
import type { Incoming } from "./incoming.ts";
import { type LedCopy, newMessage } from "./new-message.ts";
import { untilTimeIsUp } from "./until-time-is-up.ts";

/** On the disk before the answer; every copy is served at once where there is room. */
export async function keepFirst(options: HandOverOptions, queue: Queue, mail: Incoming): Promise<Reply> {
  const copies = mail.leads.flatMap((lead) => lead.copies.map((copy) => ({ lead, copy })));
  return keptReply(await keep(options, queue, mail, withoutDoubles(copies)));
}

/** One copy: its next hop may answer while the client waits, and then nothing is written. */
export async function deliverOrKeep(
  options: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  { lead, copy }: LedCopy,
): Promise<Reply> {
  const earlier = await earlierTry(options, mail, copy);
  if (earlier?.kind === "delivered") return answerFor(lead.recipient, [TAKEN_EARLIER]);
  const { waits, timeLimit, stopping } = options;
  const clientLeaves = timeLimit(waits.unverified);
  // The attempt outlives its client: the queue goes on with it. Only the end of the service ends it.
  const attempt: Running = earlier
    ? joinAttempt(mail, earlier)
    : runAttempt(options, mail, lead, copy, {
        timeIsUp: stopping,
        patience: { kind: "waiting-client", freeWithinMs: waits.freeConnectionMs },
      });
  const { delivery, dotSent, wasBusy, isLeft } = attempt;
  const waited = await untilTimeIsUp(delivery, timeLimit(waits.verified));
  /** Whose client is gone comes again. */
  const rememberIfGone = async (): Promise<void> => {
    if (mail.client.isGone()) await options.late.record(await keyOf(mail, copy));
  };
  if (waited.kind === "settled" && isFinal(waited.value)) {
    if (waited.value.kind === "delivered" && !isLeft()) await rememberIfGone();
    return answerFor(lead.recipient, [waited.value]);
  }
  // Its next try is here already, and sees to it.
  if (isLeft() && !attempt.takeBack()) return NOT_KEPT;
  const wasNotTried = wasBusy() || (stopping.aborted && !dotSent());
  const running = waited.kind === "settled" && wasNotTried ? undefined : delivery;
  const kept = await keep(options, queue, mail, [{ lead, copy }], [running]);
  if (kept.kind === "stored") {
    await rememberIfGone();
    return KEPT;
  }
  // No room: the client may still hear it from the next hop, or comes again.
  const last = await untilTimeIsUp(delivery, clientLeaves);
  if (last.kind === "settled") {
    if (last.value.kind === "delivered") await rememberIfGone();
    return answerFor(lead.recipient, [last.value]);
  }
  if (dotSent()) await attempt.leave();
  return keptReply(kept);
}

/** Two names of a transaction may lead to one mailbox: it has the message once, as with one name. */
function withoutDoubles(copies: readonly LedCopy[]): readonly LedCopy[] {
  const byMailbox = new Map<string, LedCopy>();
  for (const one of copies) {
    const { localPart, domain } = one.copy.mailbox;
    const key = `${localPart}@${asciiLower(domain)}`;
    if (!byMailbox.has(key)) byMailbox.set(key, one);
  }
  return [...byMailbox.values()];
}

type Kept = Awaited<ReturnType<Queue["take"]>>;

function keep(
  { life, now }: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  copies: readonly LedCopy[],
  running: readonly (Promise<Delivery> | undefined)[] = [],
): Promise<Kept> {
  return queue.take(newMessage(mail, copies, { now: now(), life, mayTellSender: true }), running);
}

function isFinal(delivery: Delivery): boolean {
  return delivery.kind === "delivered" || delivery.code >= 500;
}
