// Delivery while the client waits, for mail whose sender may be forged, and for bounces: the final dot is answered as the
// next hop answered, so nobody is ever owed a bounce. Called by choose-way.ts.
import type { Reply } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import { answerFor } from "../answer.ts";
import type { Copy } from "../copies.ts";
import type { Delivery } from "../deliver.ts";
import { mapInParallel } from "../parallel.ts";
import type { Outcome } from "../queue/next-step.ts";
import type { Taken } from "../queue/queue.ts";
import { toClient } from "./attempt-copy.ts";
import { earlierTry, TAKEN_EARLIER } from "./earlier-try.ts";
import { type HandOverOptions, keptReply, runAttempt } from "./hand-over.ts";
import type { Incoming, Lead } from "./incoming.ts";
import { type LedCopy, newMessage } from "./new-message.ts";
import { createTries, type Tries } from "./tries.ts";
import { untilTimeIsUp } from "./until-time-is-up.ts";

/** Targets of one alias that are delivered to at the same time. */
const PARALLEL_TARGETS = 10;

/** What is known of a copy when the client must have its answer. */
type Known =
  | Settled
  /** The final dot is out, here or at an earlier try, and the answer is not in. */
  | { readonly kind: "pending"; readonly copy: Copy; readonly outcome: Promise<Outcome> };

interface Settled {
  readonly kind: "settled";
  readonly copy: Copy;
  readonly outcome: Outcome;
}

export async function deliverInSession(options: HandOverOptions, mail: Incoming, lead: Lead): Promise<Reply> {
  const tries = createTries(options.late, mail);
  try {
    return await conclude(options, mail, tries, {
      lead,
      known: await deliverAll(options, mail, lead, tries),
    });
  } catch (error) {
    // The client is told to come again, whatever it was.
    await tries.leave();
    throw error;
  }
}

async function deliverAll(
  options: HandOverOptions,
  mail: Incoming,
  lead: Lead,
  tries: Tries,
): Promise<readonly Known[]> {
  const timeIsUp = options.timeLimit(options.waits.unverified);
  const deliver = (copies: readonly Copy[]): Promise<Known[]> =>
    mapInParallel(copies, PARALLEL_TARGETS, (copy) =>
      deliverCopy(options, mail, { lead, copy }, { tries, timeIsUp }),
    );
  // Those that stay first: while our own store is away nothing leaves, so that the client can send all of it again.
  const stayed = await deliver(lead.copies.filter(({ stays }) => stays));
  const left = isStoreAway(stayed) ? [] : await deliver(lead.copies.filter(({ stays }) => !stays));
  return [...stayed, ...left];
}

async function deliverCopy(
  options: HandOverOptions,
  mail: Incoming,
  { lead, copy }: LedCopy,
  { tries, timeIsUp }: { readonly tries: Tries; readonly timeIsUp: AbortSignal },
): Promise<Known> {
  const earlier = await earlierTry(options, mail, copy);
  if (earlier?.kind === "delivered") {
    tries.wasOver(copy, TAKEN_EARLIER);
    return { kind: "settled", copy, outcome: TAKEN_EARLIER };
  }
  // Nobody hears of it, and the next try makes it: two of us would.
  if (!earlier && tries.isLeft()) return { kind: "settled", copy, outcome: NO_ANSWER_YET };
  const patience = { kind: "waiting-client", freeWithinMs: options.waits.unverified * 1000 } as const;
  const { outcome, finalDot } = earlier
    ? { outcome: earlier.attempt, finalDot: Promise.resolve() }
    : runAttempt(options, mail, lead, copy, { timeIsUp, patience });
  tries.began(copy, outcome, earlier?.hold);
  const waited = await untilTimeIsUp(outcome, timeIsUp);
  if (waited.kind === "settled") return { kind: "settled", copy, outcome: waited.value };
  // What cannot have the message any more will not. SMTP out in its thread says which it is, at once: the attempt is cut, or
  // its final dot was out before.
  await Promise.race([outcome, finalDot]);
  const last = await untilTimeIsUp(outcome, timeIsUp);
  return last.kind === "settled"
    ? { kind: "settled", copy, outcome: last.value }
    : { kind: "pending", copy, outcome };
}

/** RFC 3463: 4.4.2 bad connection; what the next hop has, nobody knows yet. */
const NO_ANSWER_YET: Delivery = {
  kind: "failed",
  code: 451,
  enhanced: "4.4.2",
  hop: "",
  detail: "no answer to the message in time",
};

/** Nobody got a copy, and it is no single mailbox's fault (RFC 3463: x.2 is the mailbox's). */
function isStoreAway(stayed: readonly Known[]): boolean {
  const isTrouble = (delivery: Delivery): boolean =>
    delivery.kind === "failed" && delivery.code < 500 && !delivery.enhanced.startsWith("4.2.");
  const deliveries = stayed.map(deliveryNow);
  return deliveries.every(({ kind }) => kind === "failed") && deliveries.some(isTrouble);
}

function deliveryNow(known: Known): Delivery {
  return known.kind === "settled" ? toClient(known.outcome) : NO_ANSWER_YET;
}

async function conclude(
  options: HandOverOptions,
  mail: Incoming,
  tries: Tries,
  { lead, known }: { readonly lead: Lead; readonly known: readonly Known[] },
): Promise<Reply> {
  const reply = answerFor(lead.recipient, known.map(deliveryNow));
  for (const one of known)
    if (one.kind === "settled" && (reply.code >= 300 || !hasMoreToCome(mail, one)))
      options.refused(mail, lead, one.copy, toClient(one.outcome));
  await tries.answered();
  if (tries.isLeft()) return reply;
  if (reply.code >= 300) {
    await tries.leave();
    return reply;
  }
  const rest = known.filter((one) => one.kind === "pending" || hasMoreToCome(mail, one));
  const kept = await keepTheRest(options, mail, lead, rest);
  if (kept.kind !== "stored") {
    if (!rest.every(isRefusal)) {
      // Some have it and the others cannot be kept: the client comes again, for these alone.
      await tries.leave();
      return keptReply(kept);
    }
    // Nothing is left to deliver: all that is lost is what the owner would hear, and the message would come again for that alone.
    for (const { copy, outcome } of rest) options.refused(mail, lead, copy, toClient(outcome));
  }
  await tries.taken();
  return reply;
}

/**
 * Some target has the message, so the client does not come again: the queue goes on with the others. A refusal is told there, too,
 * as one that comes later.
 */
async function keepTheRest(
  { queue, life, now }: HandOverOptions,
  mail: Incoming,
  lead: Lead,
  rest: readonly Known[],
): Promise<Taken> {
  if (!queue || rest.length === 0) return { kind: "stored" };
  const copies = rest.map(({ copy }) => ({ lead, copy }));
  const message = newMessage(mail, copies, { now: now(), life, mayTellSender: false });
  return await queue.take(
    message,
    rest.map(({ outcome }) => Promise.resolve(outcome)),
  );
}

/** A failure that may pass, or one that the owner of the list or of the alias hears of: of a bounce the list's alone. */
function hasMoreToCome({ command }: Incoming, { copy, outcome }: Settled): boolean {
  const delivery = toClient(outcome);
  if (delivery.kind !== "failed") return false;
  return delivery.code < 500 || copy.owner !== undefined || command.reversePath !== NULL_PATH;
}

/** A next hop's last word. */
function isRefusal(known: Known): known is Settled {
  if (known.kind === "pending") return false;
  const delivery = toClient(known.outcome);
  return delivery.kind === "failed" && delivery.code >= 500;
}
