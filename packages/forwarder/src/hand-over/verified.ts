// Delivery of mail whose sender is verified: we may owe it a bounce, so what takes time goes to the queue, and the client is
// free. Called by choose-way.ts.
import type { Reply } from "@homing/mail";
import { asciiLower } from "@homing/srs-core";
import { answerFor } from "../answer.ts";
import type { Delivery } from "../deliver.ts";
import type { Outcome } from "../queue/next-step.ts";
import type { Queue } from "../queue/queue.ts";
import type { NoteChanges } from "../spool/notes.ts";
import { toClient } from "./attempt-copy.ts";
import { earlierTry, keyOf, TAKEN_EARLIER } from "./earlier-try.ts";
import { type HandOverOptions, KEPT, keptReply, NOT_KEPT, runAttempt } from "./hand-over.ts";
import type { Incoming, Lead } from "./incoming.ts";
import { type LedCopy, newMessage } from "./new-message.ts";
import { tellExpansions, tellHandOff } from "./tell-success.ts";
import { createTries, type Tries } from "./tries.ts";
import { untilTimeIsUp } from "./until-time-is-up.ts";

/**
 * On the disk before the answer; every copy is served at once where there is room.
 * @param notes changed in the same transaction
 */
export async function keepFirst(
  options: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  notes?: NoteChanges,
): Promise<Reply> {
  const all = withoutDoubles(mail.leads.flatMap((lead) => lead.copies.map((copy) => ({ lead, copy }))));
  // All is thrown away; what is known of it stays.
  if (all.length === 0) return notes ? keptReply(await queue.takeAll([], notes)) : KEPT;
  const found = await Promise.all(all.map(({ copy }) => earlierTry(options, mail, copy)));
  const wasTaken = (_: unknown, at: number): boolean => found[at]?.kind === "delivered";
  const isNew = (_: unknown, at: number): boolean => found[at]?.kind !== "delivered";
  const record = ({ copy }: LedCopy): Promise<void> => options.late.record(keyOf(mail, copy));

  const attempts = found.map((one) => (one?.kind === "running" ? one.attempt : undefined));
  const copies = all.filter(isNew);
  const kept =
    copies.length === 0
      ? STORED
      : await keep(options, queue, mail, { copies, running: attempts.filter(isNew), notes });
  if (kept.kind === "stored") {
    await tellExpansions(options, queue, mail, new Set(copies.map(({ lead }): Lead => lead)));
    // Whose client is gone comes again.
    const recordAll = () => Promise.all(all.map(record));
    if (mail.client.isGone()) await recordAll();
    else mail.client.onGone(() => void recordAll());
    return KEPT;
  }
  for (const one of found) if (one?.kind === "running") one.hold.release();
  await Promise.all(all.filter(wasTaken).map(record));
  return keptReply(kept);
}

/** One copy: its next hop may answer while the client waits, and then nothing is written. */
export async function deliverOrKeep(
  options: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  { lead, copy }: LedCopy,
): Promise<Reply> {
  const tries = createTries(options.late, mail);
  try {
    return await tryOrKeep(options, queue, mail, { led: { lead, copy }, tries });
  } catch (error) {
    // The client is told to come again, whatever it was.
    await tries.leave();
    throw error;
  }
}

async function tryOrKeep(
  options: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  { led, tries }: { readonly led: LedCopy; readonly tries: Tries },
): Promise<Reply> {
  const { lead, copy } = led;
  const answer = async (delivery: Delivery, isTold = false): Promise<Reply> => {
    // Nobody hears that it is delivered: the next try of the client is told, and its sender then.
    if (!isTold && !tries.isLeft()) await tellHandOff(options, queue, mail, { lead, delivery });
    await tries.answered();
    if (delivery.kind === "delivered" && !tries.isLeft()) await tries.taken();
    options.refused(mail, lead, copy, delivery);
    return answerFor(lead.recipient, [delivery]);
  };
  const earlier = await earlierTry(options, mail, copy);
  if (earlier?.kind === "delivered") {
    tries.wasOver(copy, TAKEN_EARLIER);
    return await answer(TAKEN_EARLIER, earlier.isTold);
  }
  // The next try makes it: two of us would.
  if (!earlier && tries.isLeft()) return NOT_KEPT;
  const { waits, timeLimit, attemptLimit } = options;
  const clientLeaves = timeLimit(waits.unverified);
  // The attempt outlives its client: the queue goes on with it, and it has as long as one of the queue's own.
  const attempt = earlier
    ? earlier.attempt
    : runAttempt(options, mail, lead, copy, {
        timeIsUp: attemptLimit(),
        patience: { kind: "waiting-client", freeWithinMs: waits.freeConnectionMs },
      }).outcome;
  tries.began(copy, attempt, earlier?.hold);
  const waited = await untilTimeIsUp(attempt, timeLimit(waits.verified));
  if (waited.kind === "settled" && isFinal(waited.value)) return await answer(waited.value);

  await tries.answered();
  // Nobody was promised anything, and the next try finds the attempt, or what became of it.
  if (tries.isLeft()) return NOT_KEPT;
  const wasNotTried = waited.kind === "settled" && waited.value.kind === "put-off";
  const running = wasNotTried ? undefined : attempt;
  const kept = await keep(options, queue, mail, { copies: [led], running: [running] });
  if (kept.kind === "stored") {
    await tries.taken();
    return KEPT;
  }
  // No room: the client may still hear it from the next hop, or comes again.
  tries.takenBack();
  const last = await untilTimeIsUp(attempt, clientLeaves);
  if (last.kind === "settled") return await answer(toClient(last.value));
  await tries.leave();
  return keptReply(kept);
}

/** Two names of a transaction may lead to one mailbox: it has the message once, as with one name. */
function withoutDoubles(copies: readonly LedCopy[]): readonly LedCopy[] {
  const byMailbox = new Map<string, LedCopy>();
  for (const [at, one] of copies.entries()) {
    const { localPart, domain } = one.copy.mailbox;
    const key = one.lead.isApart ? String(at) : `${localPart}@${asciiLower(domain)}`;
    if (!byMailbox.has(key)) byMailbox.set(key, one);
  }
  return [...byMailbox.values()];
}

type Kept = Awaited<ReturnType<Queue["take"]>>;
const STORED: Kept = { kind: "stored" };

interface Keeping {
  readonly copies: readonly LedCopy[];
  readonly running: readonly (Promise<Outcome> | undefined)[];
  readonly notes?: NoteChanges | undefined;
}

function keep(
  { life, now }: HandOverOptions,
  queue: Queue,
  mail: Incoming,
  { copies, running, notes }: Keeping,
): Promise<Kept> {
  const message = newMessage(mail, copies, { now: now(), life, mayTellSender: true });
  // What is known of a message stays or goes with it, also where the disk went away in the middle.
  return notes ? queue.takeAll([message], notes, [running]) : queue.take(message, running);
}

function isFinal(outcome: Outcome): outcome is Delivery {
  return outcome.kind === "delivered" || (outcome.kind === "failed" && outcome.code >= 500);
}
