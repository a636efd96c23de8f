// The queue: mail that we have answered for, until its next hop has it. What is taken in is on the disk before the answer,
// and served at once where there is room; what is due is claimed from the spool. Called by the hand-over and by forwarder.ts.
import { type Content, withFields } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import type { Cancel, Clock } from "../outbound/clock.ts";
import { within } from "../outbound/within.ts";
import type { NoteChanges } from "../spool/notes.ts";
import type { Job, Lease, NewMessage, PutOutcome, Recipient, StoredMessage } from "../spool/spool.ts";
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

/** Attempts that are under way, or over, in the order of a message's recipients. */
export type Running = readonly (Promise<Outcome> | undefined)[];

export interface Queue {
  /** Begins with what is due from the last run. */
  start(): void;
  /**
   * "stored" when it is on the disk: from then on we answer for it.
   * @param running nobody else makes an attempt meanwhile. The other recipients are served at once where there is room
   * @param notes changed in the same transaction
   */
  take(message: NewMessage, running?: Running, notes?: NoteChanges): Promise<Taken>;
  /**
   * Several messages and notes, all of them or nothing; see `Spool.putAll`.
   * @param running for each message, in their order
   */
  takeAll(
    messages: readonly NewMessage[],
    notes?: NoteChanges,
    running?: readonly (Running | undefined)[],
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

  /** Leased are those that somebody serves already, or that have a slot now. */
  const leased = (message: NewMessage, running: Running, at: UnixSeconds): Leased => {
    const isServed = message.recipients.map(
      ({ due, mailbox }, index) =>
        !running[index] && !stopping.signal.aborted && due <= at && slots.take(mailbox.domain),
    );
    const leasedUntil = at + LEASE_SECONDS;
    const recipients = message.recipients.map((recipient, index) =>
      isServed[index] || running[index] ? { ...recipient, leasedUntil } : recipient,
    );
    return { message, running, isServed, toStore: { ...message, recipients } };
  };

  /** @param leases undefined where nothing was stored */
  const begin = (
    { message, running, isServed }: Leased,
    leases: readonly (Lease | undefined)[] | undefined,
  ): void => {
    for (const [index, recipient] of message.recipients.entries()) {
      const lease = leases?.[index];
      const job = lease && { lease, message, recipient };
      const attempt = running[index];
      if (job && attempt)
        track(
          keeping(
            message.content,
            attempt.then((outcome) => finish(job, outcome)),
          ),
        );
      else if (job && isServed[index]) track(keeping(message.content, serve(job)));
      else if (isServed[index]) giveBack(recipient.mailbox.domain);
      else if (leases) wake();
    }
  };

  const giveBack = (domain: string): void => {
    slots.give(domain);
    // Somebody waits for one.
    if (wanted) wake();
  };

  /** Whatever is wrong with them, their slots are for others. */
  const orGiveBack = async <Put>(all: readonly Leased[], put: () => Promise<Put>): Promise<Put> => {
    try {
      return await put();
    } catch (error) {
      for (const one of all) begin(one, undefined);
      throw error;
    }
  };

  const allOver = async (): Promise<void> => {
    while (works.size > 0) await Promise.all(works);
  };

  const queue: Queue = {
    start: wake,
    wake,

    async take(message, running = [], notes) {
      const one = leased(message, running, now());
      const put = await orGiveBack([one], () => spool.put(one.toStore, notes ? { notes } : {}));
      begin(one, put.kind === "stored" ? put.leases : undefined);
      return put.kind === "stored" ? STORED : put;
    },

    async takeAll(messages, notes, running = []) {
      const at = now();
      const all = messages.map((message, index) => leased(message, running[index] ?? [], at));
      const toStore = all.map((one) => one.toStore);
      const put = await orGiveBack(all, () => spool.putAll(toStore, notes));
      for (const [index, one] of all.entries())
        begin(one, put.kind === "stored" ? (put.leases[index] ?? []) : undefined);
      // All of it may be there after all, and due.
      if (put.kind === "failed") wake();
      return put.kind === "stored" ? STORED : put;
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

const STORED: Taken = { kind: "stored" };

interface Leased {
  readonly message: NewMessage;
  readonly running: Running;
  /** By recipient: it has a slot. */
  readonly isServed: readonly boolean[];
  readonly toStore: NewMessage;
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
