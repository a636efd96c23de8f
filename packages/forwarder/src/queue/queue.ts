// The queue: mail that we have answered for, until its next hop has it. What is taken in is on the disk before the answer,
// and served at once where there is room, or as soon as there is; what is due is claimed from the spool. Called by the hand-over
// and by forwarder.ts.
import { type Content, partsOf, withFields } from "@homing/mail";
import { asciiLower, type UnixSeconds } from "@homing/srs-core";
import type { Cancel, Clock } from "../outbound/clock.ts";
import { within } from "../outbound/within.ts";
import { Register } from "../register.ts";
import type { NoteChanges } from "../spool/notes.ts";
import type { Job, Lease, NewMessage, PutOutcome, Recipient, StoredMessage } from "../spool/spool.ts";
import { type ConcludeOptions, conclude } from "./conclude.ts";
import type { TellableRecipient } from "./dsn-message.ts";
import { endLease, LOCAL_ERROR, leaseToEnd } from "./end-lease.ts";
import { createLine, type Place } from "./line.ts";
import type { Outcome } from "./next-step.ts";
import { createSlots } from "./slots.ts";
import { type Success, tellSuccess } from "./tell-success.ts";

/** One attempt for a recipient of the queue: nobody waits for it. Never rejects for what the world does. */
export type Serve = (message: StoredMessage, recipient: Recipient, content: Content) => Promise<Outcome>;

export interface QueueOptions extends Omit<ConcludeOptions, "startedAt" | "isStopping"> {
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
  /** Somebody took a message out of the spool: no further attempt for it begins. */
  dropped(id: string): void;
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
/** Jobs that wait in memory for a slot, with their messages. */
const LINE_JOBS = 2000;
const LINE_OCTETS = 4 * 1024 * 1024;
/** A job's own, roughly. */
const JOB_OCTETS = 2048;

export function createQueue(given: QueueOptions): Queue {
  const stopping = new AbortController();
  const isStopping = (): boolean => stopping.signal.aborted;
  const options = { ...given, startedAt: given.now(), isStopping };
  const { spool, now, clock } = options;
  const atOnce = options.maxAttemptsPerDomain;
  const slots = createSlots({ total: options.maxAttempts, perDomain: atOnce });
  const line = createLine(slots, { jobs: LINE_JOBS, octets: LINE_OCTETS, busyFrom: atOnce }, freed);
  const works = new Register<Promise<void>>();
  let claiming: Promise<void> | undefined;
  let wanted = false;
  /** Some of their mail may wait on the disk: what comes goes there, too, so that it keeps its order. */
  let leftOut: ReadonlySet<string> = new Set();
  let hadNoRoom = false;
  /** Since the last claim was asked for: what it says of the next due time may be older than the wish. */
  let wokenMeanwhile = false;
  let cancelWake: Cancel = () => {};

  const track = (work: Promise<void>): void => {
    const tracked = work.catch(options.failed).finally(() => void works.delete(number));
    const number = works.add(tracked);
  };
  /** Before the last of those in memory has left: what is on the disk takes its time. */
  function freed(domain: string): void {
    if (leftOut.has(domain) && 2 * line.length(domain) <= atOnce) wake();
  }
  /** What follows may be due before whatever the queue waits for: another attempt, a DSN. */
  const finish = async (job: Job, attempt: () => Promise<Outcome>): Promise<void> => {
    const outcome = await outcomeOf(attempt);
    try {
      if (await conclude(options, job, outcome)) wake();
    } catch (error) {
      options.failed(error);
      // Nobody waits for it, neither a slot nor the content.
      track(endLease({ ...options, stopping: stopping.signal }, leaseToEnd(job, outcome)).then(wake));
    }
  };
  /** What a bug breaks is tried again as what the world breaks: later and later, told of, and not for ever. */
  const outcomeOf = async (attempt: () => Promise<Outcome>): Promise<Outcome> => {
    try {
      return await attempt();
    } catch (error) {
      options.failed(error);
      return LOCAL_ERROR;
    }
  };

  /** Its slot is taken already. */
  const serve = async (job: Job): Promise<void> => {
    const { message, recipient } = job;
    try {
      await finish(job, async () =>
        options.serve(message, recipient, withTrace(message.content, recipient.trace)),
      );
    } finally {
      giveBack(recipient.mailbox.domain);
    }
  };
  const serveInTurn = async (job: Job, place: Place): Promise<void> => {
    if ((await place.turn(job.message.id)) === "slot") await serve(job);
  };
  const serveClaimed = (job: Job): Promise<void> => {
    const { domain } = job.recipient.mailbox;
    if (slots.take(domain)) return serve(job);
    return serveInTurn(job, line.join(domain, JOB_OCTETS + job.message.content.start.length));
  };

  const claimDue = async (): Promise<void> => {
    while (wanted && !stopping.signal.aborted) {
      wanted = false;
      wokenMeanwhile = false;
      const room = line.room();
      hadNoRoom = room === 0;
      // Where the line is full, whoever is not in it may have the slots that are free. No more than one domain may have: they
      // may all be of one.
      const limit = Math.min(hadNoRoom ? slots.free() : room, atOnce);
      leftOut = new Set(hadNoRoom ? line.domains() : line.busy());
      const at = now();
      const jobs =
        limit === 0
          ? []
          : await spool.claim({ now: at, leaseUntil: at + LEASE_SECONDS, limit, leaveOut: [...leftOut] });
      for (const job of jobs) track(serveClaimed(job));
      if (jobs.length > 0) wanted = true;
    }
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

  const mayWaitHere = (content: Content, domain: string): boolean =>
    !hadNoRoom && !leftOut.has(asciiLower(domain)) && partsOf(content) !== undefined;
  const placeFor = (content: Content, domain: string): "slot" | Place | undefined => {
    if (stopping.signal.aborted) return undefined;
    if (slots.take(domain)) return "slot";
    return mayWaitHere(content, domain) ? line.reserve(domain, JOB_OCTETS + content.octets) : undefined;
  };

  /** Leased are those that somebody serves already, that have a slot now, or wait for one in memory. */
  const leased = (message: NewMessage, running: Running, at: UnixSeconds): Leased => {
    const places = message.recipients.map(({ due, mailbox }, index) =>
      running[index] || due > at ? undefined : placeFor(message.content, mailbox.domain),
    );
    const leasedUntil = at + LEASE_SECONDS;
    const recipients = message.recipients.map((recipient, index) =>
      places[index] || running[index] ? { ...recipient, leasedUntil } : recipient,
    );
    return { message, running, places, toStore: { ...message, recipients } };
  };

  /** @param leases undefined where nothing was stored */
  const begin = (
    { message, running, places }: Leased,
    leases: readonly (Lease | undefined)[] | undefined,
  ): void => {
    for (const [index, recipient] of message.recipients.entries()) {
      const lease = leases?.[index];
      const attempt = running[index];
      const place = places[index];
      if (lease && (attempt || place)) {
        const job = { lease, message, recipient };
        track(keeping(message.content, work(job, attempt, place)));
      } else if (place === "slot") giveBack(recipient.mailbox.domain);
      else if (place) place.cancel();
      else if (leases) wake();
    }
  };
  const work = (job: Job, attempt: Promise<Outcome> | undefined, place: Leased["places"][number]) => {
    if (attempt) return finish(job, () => attempt);
    return place === undefined || place === "slot" ? serve(job) : serveInTurn(job, place);
  };

  const giveBack = (domain: string): void => {
    slots.give(domain);
    line.pump();
    if (hadNoRoom) wake();
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
    dropped: line.drop,

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
      line.close();
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
  /** By recipient: it has a slot, or waits for one; undefined where it is served already, or waits on the disk. */
  readonly places: readonly ("slot" | Place | undefined)[];
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
