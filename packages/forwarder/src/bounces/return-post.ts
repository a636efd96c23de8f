// How what is told of a bounce leaves, and what whoever brought the bounce hears. With a queue, the message, its budget and its
// event are on the disk before the answer; without one, it is delivered while the client waits. Called by bounce-desk.ts.
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

export interface Told {
  /** Made only if it is to be sent. */
  readonly message: () => Promise<NewMessage>;
  readonly notes: PostNotes;
  /** What is beyond the budget is told in a notice; otherwise it is not told at all. */
  readonly folds: boolean;
  /** Whose client waits. */
  readonly bounce: Incoming;
}

export interface ReturnPost {
  send(failure: Failure, now: UnixSeconds, told: Told): Promise<Posted>;
  /** Nobody is told. */
  note(failure: Failure, now: UnixSeconds, notes: PostNotes): Promise<Posted>;
  /** What is passed on while the client waits: it is spent when it is delivered, and 451 where nothing is left to spend. */
  pass(
    failure: Failure,
    now: UnixSeconds,
    notes: readonly Note[],
    pass: () => Promise<Reply>,
  ): Promise<Posted>;
}

const TAKEN: Reply = {
  code: 250,
  enhanced: "2.0.0",
  text: "the bounce is taken, and its message's sender is told",
};
const AWAY: Reply = { code: 451, enhanced: "4.3.0", text: "the bounce could not be kept, try again later" };
/** DESIGN's words: RFC 3463 4.7.1, a policy of ours. */
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
  const changed = async (changes: NoteChanges, posted: Posted): Promise<Posted> =>
    changes.write.length === 0 || (await notes.change(changes)) ? posted : NOT_KEPT;
  const orNotKept = (posted: Posted | "away"): Posted => (posted === "away" ? NOT_KEPT : posted);
  /** By key: not spent yet, and free no more. */
  const passing = new Map<string, number>();
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
          ? await changed(withNotes(nothingAt(now), always), FOLDED)
          : await changed(withNotes(spent, [...told, ...always]), TOLD),
      );
      return orNotKept(posted);
    },
    async pass(failure, now, more, pass) {
      const { key } = failure;
      const others = passing.get(key) ?? 0;
      passing.set(key, others + 1);
      try {
        const isSpent = await buckets.isSpent(key, now, others);
        if (isSpent === "away") return NOT_KEPT;
        if (isSpent) return OVER;
        const reply = await pass();
        if (reply.code >= 300) return { kind: "not-told", reply };
        await buckets.spend(failure, now, (_, spent) => notes.change(withNotes(spent, more)));
        return { kind: "told", reply };
      } finally {
        const left = (passing.get(key) ?? 1) - 1;
        if (left === 0) passing.delete(key);
        else passing.set(key, left);
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

/**
 * @param deliver while the client waits; its answer is the client's
 * @param atOnce bounces to one SRS address; further ones come again until they are given up, for nobody would tell of them
 */
export function createWaitingPost(
  deliver: (bounce: Incoming, message: NewMessage) => Promise<Reply>,
  atOnce: number,
): ReturnPost {
  const counts = new Map<string, number>();
  /** False where the budget is spent. */
  const spend = (key: string): boolean => {
    const before = counts.get(key) ?? 0;
    if (before >= atOnce) return false;
    // The newest are last.
    counts.delete(key);
    counts.set(key, before + 1);
    const [oldest] = counts.keys();
    if (counts.size > MAX_COUNTED && oldest !== undefined) counts.delete(oldest);
    return true;
  };
  return {
    async send({ key }, _now, { message, bounce, folds }) {
      if (!spend(key)) return folds ? OVER : FOLDED;
      return await passed(await message().then((made) => deliver(bounce, made)));
    },
    note: async ({ key }) => (spend(key) ? TOLD : FOLDED),
    pass: async ({ key }, _now, _notes, pass) => (spend(key) ? passed(await pass()) : OVER),
  };
}

function passed(reply: Reply): Posted {
  return { kind: reply.code < 300 ? "told" : "not-told", reply };
}
