// Writes down what became of an attempt: over, again, or given up with a DSN. Called by queue.ts.

import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { BUSY_STATUS } from "../deliver.ts";
import type { Report } from "../events.ts";
import type { Job, NewMessage, Spool } from "../spool/spool.ts";
import { type DsnOptions, dsnMessage, toldParty } from "./dsn-message.ts";
import { nextStep, type Outcome, type QueueTimes, retryDelay } from "./next-step.ts";

export interface ConcludeOptions extends Omit<DsnOptions, "life"> {
  readonly spool: Spool;
  readonly times: QueueTimes;
  readonly now: () => UnixSeconds;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly report: Report;
}

/** Resolves when the spool has it. */
export async function conclude(options: ConcludeOptions, job: Job, outcome: Outcome): Promise<void> {
  const { spool, times, report } = options;
  const { lease, message, recipient } = job;
  const now = options.now();
  const standing = {
    received: message.received,
    expires: message.expires,
    delayTold: job.delayToldAt !== undefined || toldParty(message, recipient) === undefined,
  };
  const step = nextStep(standing, outcome, { now, random: options.random(), times });
  const names = { id: message.id, target: renderMailbox(recipient.mailbox) };

  if (step.kind === "done" || outcome.kind === "delivered") {
    told(await spool.done(lease));
    return;
  }
  if (step.kind === "put-off" || outcome.kind === "put-off") {
    const due = step.kind === "put-off" ? step.due : now;
    const cause = outcome.kind === "put-off" ? outcome.cause : "";
    told(await spool.retry(lease, { ...(job.lastFailure ?? BUSY_STATUS), detail: cause, due }));
    return;
  }
  const { code, enhanced, detail } = outcome;
  if (step.kind === "give-up") {
    const dsn = await compose({ kind: "failed" }, step.enhanced);
    if (dsn === "later") {
      // Whoever must hear of it cannot be found now: the recipient stays, and the same comes out of the next attempt.
      const due = now + retryDelay(0, options.random(), times);
      told(await spool.retry(lease, { due, code, enhanced, detail }));
      return;
    }
    report({ event: "given-up", ...names, attempts: lease.attempt, enhanced: step.enhanced });
    if (told(await spool.fail(lease, dsn))) reportDsn(dsn, "failed");
    return;
  }
  const notice = step.tellDelay
    ? await compose({ kind: "delayed", until: message.expires }, enhanced)
    : undefined;
  const dsn = notice === "later" ? undefined : notice;
  const deferral = { due: step.due, code, enhanced, detail, ...(dsn ? { delayToldAt: now } : {}) };
  report({ event: "deferred", ...names, attempts: lease.attempt, due: step.due });
  if (told(await spool.retry(lease, deferral, dsn))) reportDsn(dsn, "delayed");

  function compose(
    action: Parameters<typeof dsnMessage>[3]["action"],
    status: string,
  ): Promise<NewMessage | "later" | undefined> {
    return dsnMessage({ ...options, life: times.dsn }, message, recipient, { action, enhanced: status, now });
  }

  function told(isValid: boolean): boolean {
    if (!isValid) report({ event: "lease-lost", ...names, attempts: lease.attempt });
    return isValid;
  }

  function reportDsn(dsn: NewMessage | undefined, action: "failed" | "delayed"): void {
    const party: Mailbox | undefined = toldParty(message, recipient);
    if (!party) return;
    const to = renderMailbox(party);
    if (dsn) report({ event: "dsn", id: dsn.id, about: message.id, to, action });
    else if (action === "failed") report({ event: "nobody-told", ...names, to });
  }
}
