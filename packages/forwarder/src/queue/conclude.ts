// Writes down what became of an attempt: over, again, or given up with a DSN. Called by queue.ts.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Delivery } from "../deliver.ts";
import type { Report } from "../events.ts";
import type { Job, NewMessage, Spool } from "../spool/spool.ts";
import { type DsnOptions, dsnMessage, toldParty } from "./dsn-message.ts";
import { nextStep, type QueueTimes } from "./next-step.ts";

export interface ConcludeOptions extends Omit<DsnOptions, "life"> {
  readonly spool: Spool;
  readonly times: QueueTimes;
  readonly now: () => UnixSeconds;
  /** 0 ≤ n < 1. */
  readonly random: () => number;
  readonly report: Report;
}

/** Resolves when the spool has it. */
export async function conclude(options: ConcludeOptions, job: Job, outcome: Delivery): Promise<void> {
  const { spool, times, report } = options;
  const { lease, message, recipient } = job;
  const now = options.now();
  const standing = {
    received: message.received,
    expires: message.expires,
    attempt: lease.attempt,
    delayTold: job.delayToldAt !== undefined || toldParty(message, recipient) === undefined,
  };
  const step = nextStep(standing, outcome, { now, random: options.random(), times });
  const names = { id: message.id, target: renderMailbox(recipient.mailbox) };

  if (step.kind === "done" || outcome.kind === "delivered") {
    told(await spool.done(lease));
    return;
  }
  if (step.kind === "give-up") {
    const dsn = await compose({ kind: "failed" }, step.enhanced);
    report({ event: "given-up", ...names, attempts: lease.attempt, enhanced: step.enhanced });
    if (told(await spool.fail(lease, dsn))) reportDsn(dsn, "failed");
    return;
  }
  const { code, enhanced, detail } = outcome;
  const dsn = step.tellDelay
    ? await compose({ kind: "delayed", until: message.expires }, enhanced)
    : undefined;
  const deferral = { due: step.due, code, enhanced, detail, ...(dsn ? { delayToldAt: now } : {}) };
  report({ event: "deferred", ...names, attempts: lease.attempt, due: step.due });
  if (told(await spool.retry(lease, deferral, dsn))) reportDsn(dsn, "delayed");

  function compose(
    action: Parameters<typeof dsnMessage>[3]["action"],
    status: string,
  ): Promise<NewMessage | undefined> {
    return dsnMessage({ ...options, life: times.dsn }, message, recipient, { action, enhanced: status, now });
  }

  function told(isValid: boolean): boolean {
    if (!isValid) report({ event: "lease-lost", ...names, attempts: lease.attempt });
    return isValid;
  }

  function reportDsn(dsn: NewMessage | undefined, action: "failed" | "delayed"): void {
    const to: Mailbox | undefined = toldParty(message, recipient);
    if (dsn && to) report({ event: "dsn", id: dsn.id, about: message.id, to: renderMailbox(to), action });
  }
}
