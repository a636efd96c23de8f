// Delivery while the client waits, for mail whose sender may be forged, and for bounces: the final dot is answered as the
// next hop answered, so nobody is ever owed a bounce. Called by choose-way.ts.
import type { Reply } from "@homing/mail";
import { answerFor } from "../answer.ts";
import type { Copy } from "../copies.ts";
import type { Delivery } from "../deliver.ts";
import { mapInParallel } from "../parallel.ts";
import type { Taken } from "../queue/queue.ts";
import { earlierTry, keyOf, TAKEN_EARLIER } from "./earlier-try.ts";
import { type HandOverOptions, joinAttempt, keptReply, runAttempt } from "./hand-over.ts";
import type { Incoming, Lead } from "./incoming.ts";
import { newMessage } from "./new-message.ts";
import { untilTimeIsUp } from "./until-time-is-up.ts";

/** Targets of one alias that are delivered to at the same time. */
const PARALLEL_TARGETS = 10;

/** What is known of a copy when the client must have its answer. */
type Known =
  | {
      readonly kind: "settled";
      readonly copy: Copy;
      readonly delivery: Delivery;
      /** The client's next try will find it. */
      readonly isLeft?: boolean;
    }
  /** The final dot is out, the answer is not in. */
  | {
      readonly kind: "pending";
      readonly copy: Copy;
      readonly delivery: Promise<Delivery>;
      readonly leave: () => Promise<void>;
    }
  /** An earlier try of the same message runs, and took too long again. */
  | { readonly kind: "joined"; readonly copy: Copy };

export async function deliverInSession(options: HandOverOptions, mail: Incoming, lead: Lead): Promise<Reply> {
  const timeIsUp = options.timeLimit(options.waits.unverified);
  const deliverAll = (copies: readonly Copy[]): Promise<Known[]> =>
    mapInParallel(copies, PARALLEL_TARGETS, (copy) => deliverCopy(options, mail, lead, copy, timeIsUp));

  // Those that stay first: while our own store is away nothing leaves, so that the client can send all of it again.
  const stayed = await deliverAll(lead.copies.filter(({ stays }) => stays));
  const left = isStoreAway(stayed) ? [] : await deliverAll(lead.copies.filter(({ stays }) => !stays));
  return await conclude(options, mail, lead, [...stayed, ...left]);
}

async function deliverCopy(
  options: HandOverOptions,
  mail: Incoming,
  lead: Lead,
  copy: Copy,
  timeIsUp: AbortSignal,
): Promise<Known> {
  const earlier = await earlierTry(options, mail, copy);
  if (earlier?.kind === "delivered") return { kind: "settled", copy, delivery: TAKEN_EARLIER };
  if (earlier) {
    const { delivery, isLeft, leave } = joinAttempt(mail, earlier);
    const waited = await untilTimeIsUp(delivery, timeIsUp);
    if (waited.kind === "settled") return { kind: "settled", copy, delivery: waited.value, isLeft: isLeft() };
    await leave();
    return { kind: "joined", copy };
  }
  const patience = {
    kind: "waiting-client",
    freeWithinMs: options.waits.unverified * 1000,
  } as const;
  const { delivery, dotSent, isLeft, leave } = runAttempt(options, mail, lead, copy, { timeIsUp, patience });
  const waited = await untilTimeIsUp(delivery, timeIsUp);
  if (waited.kind === "settled") return { kind: "settled", copy, delivery: waited.value, isLeft: isLeft() };
  // What cannot have the message any more will not.
  return dotSent()
    ? { kind: "pending", copy, delivery, leave }
    : { kind: "settled", copy, delivery: await delivery };
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
  return known.kind === "settled" ? known.delivery : NO_ANSWER_YET;
}

async function conclude(
  options: HandOverOptions,
  mail: Incoming,
  lead: Lead,
  known: readonly Known[],
): Promise<Reply> {
  const reply = answerFor(lead.recipient, known.map(deliveryNow));
  if (reply.code < 300 && !mail.client.isGone()) {
    const kept = await keepTheRest(options, mail, lead, known);
    if (kept.kind === "stored") return reply;
    // Some have it and the others cannot be kept: the client comes again, for these alone.
    await rememberForNextTry(options, mail, known);
    return keptReply(kept);
  }
  await rememberForNextTry(options, mail, known);
  return reply;
}

/** The client comes again: what went through, or goes through meanwhile, must not go through twice. */
async function rememberForNextTry(
  { late }: HandOverOptions,
  mail: Incoming,
  known: readonly Known[],
): Promise<void> {
  for (const one of known) {
    if (one.kind === "pending") await one.leave();
    if (one.kind === "settled" && one.delivery.kind === "delivered" && !one.isLeft)
      await late.record(await keyOf(mail, one.copy));
  }
}

/** Some target has the message, so the client does not come again: the queue goes on with the others. */
async function keepTheRest(
  { queue, life, now }: HandOverOptions,
  mail: Incoming,
  lead: Lead,
  known: readonly Known[],
): Promise<Taken> {
  const rest = known.filter((one) => one.kind !== "settled" || hasMoreToCome(one));
  if (!queue || rest.length === 0) return { kind: "stored" };
  const copies = rest.map(({ copy }) => ({ lead, copy }));
  const message = newMessage(mail, copies, { now: now(), life, mayTellSender: false });
  return await queue.take(
    message,
    rest.map((one) => Promise.resolve(one.kind === "joined" ? NO_ANSWER_YET : one.delivery)),
  );
}

/** A failure that may pass, or one that the owner of the list hears of. */
function hasMoreToCome({ copy, delivery }: Extract<Known, { kind: "settled" }>): boolean {
  return delivery.kind === "failed" && (delivery.code < 500 || copy.owner !== undefined);
}
