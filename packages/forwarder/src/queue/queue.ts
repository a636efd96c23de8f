// The queue: mail that we have answered for, until its next hop has it. What is taken in is on the disk before the answer,
// and served at once where there is room; what is due is claimed from the spool. Called by the hand-over and by forwarder.ts.
import { type Content, withFields } from "@homing/mail";
import type { Cancel, Clock } from "../outbound/clock.ts";
import { within } from "../outbound/within.ts";
import type { NoteChanges } from "../spool/notes.ts";
import type { Job, NewMessage, PutOutcome, Recipient, StoredMessage } from "../spool/spool.ts";
import { type ConcludeOptions, conclude } from "./conclude.ts";
import type { TellableRecipient } from "./dsn-message.ts";
import type { Outcome } from "./next-step.ts";
import { createSlots } from "./slots.ts";
import { type Success, tellSuccess } from "./tell-success.ts";

/** One attempt for a recipient of the queue: nobody waits for it. Never rejects for what the world does. */
export type Serve = (
  message: StoredMessage,
  recipient: Recipient,
  content: Content,
  /** Ends what can be made again later. */
  stopping: AbortSignal,
) => Promise<Outcome>;

export interface QueueOptions extends Omit<ConcludeOptions, "startedAt"> {
  readonly serve: Serve;
  /** Attempts at the same time: in all, and to one domain. */
  readonly maxAttempts: number;
  readonly maxAttemptsPerDomain: number;
  readonly clock: Clock;
  /** Told of bugs, and of a spool that cannot be read. */
  readonly failed: (error: unknown) => void;
}

export type Taken = { readonly kind: "stored" } | Exclude<PutOutcome, { kind: "stored" }>;

export interface Queue {
  /** Begins with what is due from the last run. */
  start(): void;
  /**
   * "stored" when it is on the disk: from then on we answer for it.
   * @param running attempts that are under way, or over, in the order of the recipients: nobody else makes one meanwhile.
   *     The others are served at once where there is room
   * @param notes changed in the same transaction
   */
  take(
    message: NewMessage,
    running?: readonly (Promise<Outcome> | undefined)[],
    notes?: NoteChanges,
  ): Promise<Taken>;
  /**
   * Tells the sender of a success, if he asked for it (RFC 3461 §5.2). Resolves when the DSN is on the disk, or when the log
   * says why it is not.
   */
  tell(message: StoredMessage, recipient: TellableRecipient, success: Success): Promise<void>;
  /** Somebody else made recipients due: they are claimed at once, where there is room. */
  wake(): void;
  /**
   * No further attempts; resolves when those that run are written down. One whose next hop has the message, and does not
   * say so for long, is left: it is made again after the next start. The spool stays open.
   */
  close(): Promise<void>;
}

/**
 * Longer than any attempt takes, and than any clock is set forward: a lease that ends early has two attempts at once. Those
 * of a process that was killed end with it.
 */
const LEASE_SECONDS = 30 * 86_400;
/** A service manager waits some 30 seconds for the whole service. */
const CLOSE_SECONDS = 25;
/** When nothing is known to be due, or the spool did not answer. */
const IDLE_SECONDS = 60;

export function createQueue(given: QueueOptions): Queue {
  const options = { ...given, startedAt: given.now() };
  const { spool, now, clock } = options;
  const slots = createSlots({ total: options.maxAttempts, perDomain: options.maxAttemptsPerDomain });
  const works = new Set<Promise<void>>();
  const stopping = new AbortController();
  let claiming: Promise<void> | undefined;
  let wanted = false;
  /** Since the last claim was asked for: what it says of the next due time may be older than the wish. */
  let wokenMeanwhile = false;
  let cancelWake: Cancel = () => {};

  const track = (work: Promise<void>): void => {
    const tracked: Promise<void> = work.catch(options.failed).finally(() => {
      works.delete(tracked);
      if (wanted) wake();
    });
    works.add(tracked);
  };
  /** What follows may be due before whatever the queue waits for: another attempt, a DSN. */
  const finish = async (job: Job, outcome: Outcome): Promise<void> => {
    if (await conclude(options, job, outcome)) wake();
  };

  /** Its slot is taken already. */
  const serve = async (job: Job): Promise<void> => {
    const { message, recipient } = job;
    try {
      const content = withTrace(message.content, recipient.trace);
      await finish(job, await options.serve(message, recipient, content, stopping.signal));
    } finally {
      slots.give(recipient.mailbox.domain);
    }
  };

  const claimDue = async (): Promise<void> => {
    while (wanted && !stopping.signal.aborted) {
      wanted = false;
      wokenMeanwhile = false;
      // No more than one domain may have: they may all be of one.
      const limit = Math.min(slots.free(), options.maxAttemptsPerDomain);
      const at = now();
      const jobs =
        limit === 0
          ? []
          : await spool.claim({ now: at, leaseUntil: at + LEASE_SECONDS, limit, leaveOut: slots.full() });
      for (const job of jobs) {
        slots.occupy(job.recipient.mailbox.domain);
        track(serve(job));
      }
      if (jobs.length > 0) wanted = true;
    }
    // Whatever waits for a slot is claimed when one is given back.
    wanted ||= slots.free() === 0 || slots.full().length > 0;
    const due = await spool.nextDue(now());
    const seconds = due === undefined ? IDLE_SECONDS : Math.max(1, Math.min(due - now(), IDLE_SECONDS));
    if (!stopping.signal.aborted) cancelWake = clock.after(seconds * 1000, wake);
  };

  function wake(): void {
    wanted = true;
    wokenMeanwhile = true;
    if (stopping.signal.aborted || claiming) return;
    cancelWake();
    claiming = claimDue()
      .catch((error: unknown) => {
        options.failed(error);
        if (!stopping.signal.aborted) cancelWake = clock.after(IDLE_SECONDS * 1000, wake);
      })
      .finally(() => {
        claiming = undefined;
        if (wokenMeanwhile) wake();
      });
  }

  const allOver = async (): Promise<void> => {
    while (works.size > 0) await Promise.all(works);
  };

  const queue: Queue = {
    start: wake,
    wake,

    async take(message, running = [], notes) {
      const at = now();
      const served = message.recipients.map(
        ({ due, mailbox }, index) =>
          !running[index] && !stopping.signal.aborted && due <= at && slots.take(mailbox.domain),
      );
      const isLeased = (index: number): boolean => served[index] === true || running[index] !== undefined;
      const leasedUntil = at + LEASE_SECONDS;
      const recipients = message.recipients.map((recipient, index) =>
        isLeased(index) ? { ...recipient, leasedUntil } : recipient,
      );
      const put = await spool.put({ ...message, recipients }, notes ? { notes } : {});
      for (const [index, recipient] of message.recipients.entries()) {
        const lease = put.kind === "stored" ? put.leases[index] : undefined;
        const job = lease && { lease, message, recipient };
        const attempt = running[index];
        if (job && attempt)
          track(
            keeping(
              message.content,
              attempt.then((outcome) => finish(job, outcome)),
            ),
          );
        else if (job && served[index]) track(keeping(message.content, serve(job)));
        else if (served[index]) slots.give(recipient.mailbox.domain);
        else if (put.kind === "stored") wake();
      }
      return put.kind === "stored" ? { kind: "stored" } : put;
    },

    tell: (message, recipient, success) =>
      tellSuccess({ ...options, life: options.times.dsn, keep }, message, recipient, success),

    async close() {
      stopping.abort();
      cancelWake();
      await claiming;
      await within(clock, CLOSE_SECONDS, allOver());
    },
  };
  const keep = async (dsn: NewMessage): Promise<string | undefined> => {
    const taken = await queue.take(dsn);
    return taken.kind === "stored" ? undefined : taken.cause;
  };
  return queue;
}

function withTrace(content: Content, trace: string): Content {
  return trace === "" ? content : withFields(content, [trace]);
}

/** The content stays while somebody reads it. */
async function keeping(content: Content, work: Promise<void>): Promise<void> {
  content.hold();
  try {
    await work;
  } finally {
    content.release();
  }
}
