// Writes down what became of an attempt: over, again, or given up with a DSN. Called by queue.ts.

import { type Mailbox, NULL_PATH, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { GivenUp, OwnFailure, OwnFailures } from "../bounces/own-failures.ts";
import { BUSY_STATUS } from "../deliver.ts";
import type { Report } from "../events.ts";
import type {
  Failure,
  Job,
  NewMessage,
  NewRecipient,
  NotifyParty,
  Recipient,
  Spool,
  StoredMessage,
} from "../spool/spool.ts";
import { classOf, type DsnOptions, dsnMessage, type ToTell, toldParty } from "./dsn-message.ts";
import { nextStep, type Outcome, type QueueTimes, retryDelay } from "./next-step.ts";
import { changesOf, NOBODY_ASKS, type WithSettledNotes } from "./settled-notes.ts";
import { successMessage, untold } from "./tell-success.ts";

export interface ConcludeOptions extends Omit<DsnOptions, "life"> {
  readonly spool: Spool;
  readonly times: QueueTimes;
  readonly now: () => UnixSeconds;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly report: Report;
  readonly ownFailures: OwnFailures;
  /** Default: no mail is sent from here for anybody. */
  readonly withSettledNotes?: WithSettledNotes;
  /** When this process began to serve, and to look for those who must hear. */
  readonly startedAt: UnixSeconds;
  /** The service stops: what it cuts is put off, whatever the time. */
  readonly isStopping: () => boolean;
}

/**
 * Behind its expiry, whoever must hear of a message is looked for so long: then its recipient goes without. Not in the first day
 * of a process: what it needs may be away with the same cause that kept it down.
 */
const MAX_WAIT_TO_TELL_SECONDS = 86_400;

export function isTooLateToTell(
  { now, startedAt }: Pick<ConcludeOptions, "now" | "startedAt">,
  expires: UnixSeconds,
): boolean {
  return now() >= Math.max(expires, startedAt) + MAX_WAIT_TO_TELL_SECONDS;
}

/** Who hears nothing of a recipient that is given up without telling anybody: for `nobody-told`. */
export async function whoGoesWithout(
  { ownFailures }: Pick<ConcludeOptions, "ownFailures">,
  message: Pick<StoredMessage, "sender">,
  recipient: Recipient,
): Promise<Mailbox | undefined> {
  if (message.sender === NULL_PATH) return undefined;
  const notify = await ownFailures.toldOfDelay(recipient);
  return toldParty(message, { ...recipient, notify }, "failed");
}

/**
 * Resolves when the spool has it.
 * @returns whether that may have made something due: the recipient again, or a DSN
 */
export async function conclude(options: ConcludeOptions, job: Job, outcome: Outcome): Promise<boolean> {
  const { spool, times, report, withSettledNotes = NOBODY_ASKS } = options;
  const { lease, message, recipient } = job;
  const now = options.now();
  const standing = {
    received: message.received,
    expires: message.expires,
    delayTold: job.delayToldAt !== undefined || toldParty(message, recipient, "delayed") === undefined,
  };
  const world = { now, times, random: options.random(), isStopping: options.isStopping() };
  const step = nextStep(standing, outcome, { ...world, startedAt: options.startedAt });
  const names = { id: message.id, target: renderMailbox(recipient.mailbox) };

  if (step.kind === "done" || outcome.kind === "delivered") {
    const isStored = outcome.kind === "delivered" && outcome.stored === true;
    const success = await composeSuccess(isStored ? "delivered" : "relayed");
    const settled = { job, outcome: { kind: "delivered" }, now } as const;
    const isDone = await withSettledNotes(settled, (notes) =>
      spool.done(lease, success, changesOf(notes, now)),
    );
    if (told(isDone)) toldOf(success, isStored ? "delivered" : "relayed");
    return success !== undefined;
  }
  const failure = outcome.kind === "put-off" ? failureBefore(job, outcome.cause) : outcome;
  const { code, enhanced, detail } = failure;
  if (step.kind === "give-up") {
    const last = { enhanced: step.enhanced, class: classOf(step.enhanced, failure) };
    const settled = { job, outcome: { kind: "failed", ...last }, now } as const;
    const given = await withSettledNotes(settled, (notes) =>
      giveUp({
        ...{ ...last, now, notes },
        toldTo: (notify) => toldParty(message, { ...recipient, notify }, "failed"),
        compose: (notify) =>
          compose({ action: { kind: "failed" }, enhanced: step.enhanced, failure }, notify),
      }),
    );
    if (given.kind === "later") {
      // Whoever must hear of it cannot be found now: the recipient stays, and the same comes out of the next attempt.
      const due = now + retryDelay(0, options.random(), times);
      told(await spool.retry(lease, { due, code, enhanced, detail }));
      return true;
    }
    report({ event: "given-up", ...names, attempts: lease.attempt, enhanced: step.enhanced });
    if (told(given.isStored)) reportGivenUp(given);
    return true;
  }
  const notice = step.tellDelay
    ? await compose(
        { action: { kind: "delayed", until: message.expires }, enhanced, failure },
        await options.ownFailures.toldOfDelay(recipient),
      )
    : undefined;
  const dsn = notice === "later" ? undefined : notice;
  const deferral = { due: step.due, code, enhanced, detail, ...(dsn ? { delayToldAt: now } : {}) };
  if (step.kind === "retry") report({ event: "deferred", ...names, attempts: lease.attempt, due: step.due });
  if (told(await spool.retry(lease, deferral, dsn))) toldOf(dsn, "delayed");
  return true;

  /** At last without telling anybody: else a recipient that is gone would be tried for ever. */
  async function giveUp(failure: OwnFailure): Promise<GivenUp> {
    const { ownFailures } = options;
    const given = await ownFailures.giveUp(job, failure);
    if (given.kind !== "later" || !isTooLateToTell(options, message.expires)) return given;
    const to = await whoGoesWithout(options, message, recipient);
    // As the only destination: whether all of several have failed cannot be told either.
    const untold = { ...recipient, targets: 1, notify: { kind: "nobody" } } as const;
    const last = await ownFailures.giveUp({ ...job, recipient: untold }, failure);
    return last.kind === "settled" && to ? { ...last, to } : last;
  }

  function compose(
    tell: Omit<ToTell, "now">,
    notify: NotifyParty,
  ): Promise<NewMessage | "later" | undefined> {
    const about = { ...recipient, notify };
    return dsnMessage({ ...options, life: times.dsn }, message, about, { ...tell, now });
  }

  /** The message is delivered: it is not tried again so that its sender can be told. */
  async function composeSuccess(kind: "delivered" | "relayed"): Promise<NewMessage | undefined> {
    const composed = await successMessage({ ...options, life: times.dsn }, message, recipient, kind);
    if (composed.kind === "untold") untold(options, message, recipient.alias, composed.cause);
    return composed.kind === "composed" ? composed.dsn : undefined;
  }

  function told(isValid: boolean): boolean {
    if (!isValid) report({ event: "lease-lost", ...names, attempts: lease.attempt });
    return isValid;
  }

  function toldOf(dsn: NewMessage | undefined, action: ToTell["action"]["kind"]): void {
    if (!dsn) return;
    // Whom it is for: where that leads, the recipients say.
    const [{ alias }] = dsn.recipients as readonly [NewRecipient];
    report({ event: "dsn", id: dsn.id, about: message.id, to: renderMailbox(alias), action });
  }

  function reportGivenUp({ to, dsn, folded }: Extract<GivenUp, { kind: "settled" }>): void {
    toldOf(dsn, "failed");
    if (to && !dsn && !folded) report({ event: "nobody-told", ...names, to: renderMailbox(to) });
  }
}

/** Of one that was put off. A refusal there was kept until its sender can be told: that is no word for a delay. */
function failureBefore({ lastFailure }: Job, cause: string): Failure {
  const { code, enhanced } = lastFailure && lastFailure.code < 500 ? lastFailure : BUSY_STATUS;
  return { code, enhanced, detail: cause };
}
