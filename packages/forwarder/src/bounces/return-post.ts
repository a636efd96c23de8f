// How what is told of a bounce leaves, and what whoever brought the bounce hears. With a queue, the message, its budget and its
// event are on the disk before the answer; without one, it is delivered while the client waits. Called by bounce-desk.ts and give-back.ts.
import type { Reply } from "@homing/mail";
import type { UnixSeconds } from "@homing/srs-core";
import { keptReply } from "../hand-over/hand-over.ts";
import type { Incoming } from "../hand-over/incoming.ts";
import type { Queue } from "../queue/queue.ts";
import type { Buckets, Failure } from "../spool/buckets.ts";
import type { Note, NoteChanges, Notes } from "../spool/notes.ts";
import type { NewMessage } from "../spool/spool.ts";

export type Posted =
  | { readonly kind: "told" | "folded"; readonly reply: Reply }
  /** Nothing was spent: the client comes again, or is refused. */
  | { readonly kind: "not-told"; readonly reply: Reply };

export interface PostNotes {
  /** Noted with what is told. */
  readonly told: readonly Note[];
  /** Noted beyond the budget, too. */
  readonly always: readonly Note[];
}

export const NO_NOTES: PostNotes = { told: [], always: [] };

export interface Told {
  /** Made only if it is to be sent. */
  readonly message: () => Promise<NewMessage>;
  readonly notes: PostNotes;
  /** What is beyond the budget is told in a notice; otherwise it is not told at all. */
  readonly folds: boolean;
  /** Whose client waits. */
  readonly bounce: Incoming;
}

export interface Passing {
  readonly pass: () => Promise<Reply>;
  readonly notes: PostNotes;
  /** What is beyond the budget is told in a notice, or to nobody, or is not taken at all. */
  readonly beyond: "notice" | "nobody" | "not-taken";
}

export interface ReturnPost {
  send(failure: Failure, now: UnixSeconds, told: Told): Promise<Posted>;
  /** Nobody is told. */
  note(failure: Failure, now: UnixSeconds, notes: PostNotes): Promise<Posted>;
  /** What is passed on while the client waits: it is spent when it is delivered. */
  pass(failure: Failure, now: UnixSeconds, passing: Passing): Promise<Posted>;
}

/** Whoever brought it does not learn who hears of it. */
const TAKEN: Reply = { code: 250, enhanced: "2.0.0", text: "the bounce is taken" };
const AWAY: Reply = { code: 451, enhanced: "4.3.0", text: "the bounce could not be kept, try again later" };
/** RFC 3463 §3.8: a policy of ours. */
export const OVER_BUDGET: Reply = {
  code: 451,
  enhanced: "4.7.1",
  text: "too many bounces came to this address, try again later",
};
const TOLD: Posted = { kind: "told", reply: TAKEN };
const FOLDED: Posted = { kind: "folded", reply: TAKEN };
const NOT_KEPT: Posted = { kind: "not-told", reply: AWAY };
const OVER: Posted = { kind: "not-told", reply: OVER_BUDGET };

export function createQueuedPost(queue: Queue, buckets: Buckets, notes: Notes): ReturnPost {
  const changed = async (changes: NoteChanges, posted: Posted, room?: "needs-room"): Promise<Posted> =>
    changes.write.length === 0 || (await notes.change(changes, room)) ? posted : NOT_KEPT;
  const orNotKept = (posted: Posted | "away"): Posted => (posted === "away" ? NOT_KEPT : posted);
  /** By key: not spent yet, and free no more. */
  const underWay = new Map<string, number>();
  const passOrFold = async (
    failure: Failure,
    now: UnixSeconds,
    others: number,
    { pass, notes: { told, always }, beyond }: Passing,
  ): Promise<Posted> => {
    const isSpent = await buckets.isSpent(failure.key, now, others);
    if (isSpent === "away") return NOT_KEPT;
    if (isSpent && beyond === "not-taken") return OVER;
    if (isSpent) {
      const posted = await buckets.spend<Posted>(failure, now, async (decision, spent) => {
        // Those under way may yet be refused, and leave something to spend.
        if (decision === "tell") return OVER;
        return await changed(withNotes(beyond === "notice" ? spent : nothingAt(now), always), FOLDED);
      });
      return orNotKept(posted);
    }
    const reply = await pass();
    if (reply.code >= 300) return { kind: "not-told", reply };
    await buckets.spend(failure, now, (decision, spent) =>
      notes.change(withNotes(decision === "tell" ? spent : nothingAt(now), [...told, ...always])),
    );
    return { kind: "told", reply };
  };
  return {
    async send(failure, now, { message, notes: { told, always }, folds }) {
      const posted = await buckets.spend<Posted>(failure, now, async (decision, spent) => {
        if (decision === "fold")
          return await changed(withNotes(folds ? spent : nothingAt(now), always), FOLDED);
        const taken = await queue.take(await message(), [], withNotes(spent, [...told, ...always]));
        return taken.kind === "stored" ? TOLD : { kind: "not-told", reply: keptReply(taken) };
      });
      return orNotKept(posted);
    },
    async note(failure, now, { told, always }) {
      const posted = await buckets.spend<Posted>(failure, now, async (decision, spent) =>
        decision === "fold"
          ? await changed(withNotes(nothingAt(now), always), FOLDED, "needs-room")
          : await changed(withNotes(spent, [...told, ...always]), TOLD, "needs-room"),
      );
      return orNotKept(posted);
    },
    async pass(failure, now, passing) {
      const { key } = failure;
      const others = underWay.get(key) ?? 0;
      underWay.set(key, others + 1);
      try {
        return await passOrFold(failure, now, others, passing);
      } finally {
        const left = (underWay.get(key) ?? 1) - 1;
        if (left === 0) underWay.delete(key);
        else underWay.set(key, left);
      }
    },
  };
}

function nothingAt(now: UnixSeconds): NoteChanges {
  return { now, write: [], remove: [] };
}

function withNotes({ now, write, remove }: NoteChanges, more: readonly Note[]): NoteChanges {
  return { now, write: [...write, ...more], remove };
}

/** Addresses whose bounces are counted without a disk. */
const MAX_COUNTED = 10_000;
/** Then an address's count begins again: without a disk, nobody would tell of what is put off for longer. */
const COUNTED_SECONDS = 86_400;

interface Counted {
  readonly since: UnixSeconds;
  told: number;
}

/**
 * @param deliver while the client waits; its answer is the client's
 * @param atOnce bounces to one SRS address in a day; further failures come again until they are told or given up
 */
export function createWaitingPost(
  deliver: (bounce: Incoming, message: NewMessage) => Promise<Reply>,
  atOnce: number,
): ReturnPost {
  const counts = new Map<string, Counted>();
  const countedFor = (key: string, now: UnixSeconds): Counted => {
    const before = counts.get(key);
    // Of a clock that was set back, too.
    const isOver = before === undefined || Math.abs(now - before.since) >= COUNTED_SECONDS;
    const counted = isOver ? { since: now, told: 0 } : before;
    // The newest are last.
    counts.delete(key);
    counts.set(key, counted);
    const [oldest] = counts.keys();
    if (counts.size > MAX_COUNTED && oldest !== undefined) counts.delete(oldest);
    return counted;
  };
  /** Counted while it is under way, and after that only if it was delivered. */
  const within = async (
    key: string,
    now: UnixSeconds,
    beyond: Posted,
    work: () => Promise<Reply>,
  ): Promise<Posted> => {
    const counted = countedFor(key, now);
    if (counted.told >= atOnce) return beyond;
    counted.told++;
    let isTold = false;
    try {
      const reply = await work();
      isTold = reply.code < 300;
      return { kind: isTold ? "told" : "not-told", reply };
    } finally {
      if (!isTold) counted.told--;
    }
  };
  return {
    send: async ({ key }, now, { message, bounce, folds }) =>
      await within(key, now, folds ? OVER : FOLDED, async () => await deliver(bounce, await message())),
    note: async ({ key }, now) => await within(key, now, FOLDED, async () => TAKEN),
    pass: async ({ key }, now, { pass, beyond }) =>
      await within(key, now, beyond === "nobody" ? FOLDED : OVER, pass),
  };
}
