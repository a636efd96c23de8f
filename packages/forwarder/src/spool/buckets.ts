// Buckets of failures in the spool's database: which failure is told by itself, which is folded into the next notice, and
// the notices that are due. The decision and what is stored for it are one transaction. In memory is only which keys may be
// there: the first bounce of an address waits for no look-up. Made by state.ts, for bounces and for failures of our own.
import { afterNotice, type Bucket, type BucketLimits, isNoticeDue, spend } from "@homing/bounce-handler";
import type { UnixSeconds } from "@homing/srs-core";
import { createKeyedTurns } from "./keyed-turns.ts";
import { createKnownKeys, type KnownKeys } from "./known-keys.ts";
import type { Note, NoteChanges, Notes } from "./notes.ts";

export interface BucketsOptions {
  /** Buckets of another sort are others. */
  readonly sort: string;
  readonly limits: BucketLimits;
  /** How long failures of one key can come. */
  readonly lifeSeconds: number;
}

export interface Failure {
  /** Which bucket: `srsAddressKey`, `ownFailureKey`. */
  readonly key: string;
  /** What a notice must know: to whom it goes, and why. That of the first failure that it is about. A text of the caller's. */
  readonly about: string;
  /** Of the message that failed; "" without one. */
  readonly messageId: string;
}

export interface Notice {
  readonly key: string;
  readonly about: string;
  /** Failures, listed or not. */
  readonly count: number;
  /** In their order. */
  readonly messageIds: readonly string[];
}

export interface Buckets {
  /**
   * One failure. Failures of one key have their turns.
   * @param store stores what is decided: "tell", a DSN together with the notes; "fold", the notes alone, or with whatever else
   *     settles the failure. Where it does not store, nothing was spent
   * @returns what `store` said; "away" where the storage cannot be asked, or is still taking the notice of this key: nobody
   *     who waits for an answer shall wait for a disk that is full
   */
  spend<Stored>(failure: Failure, now: UnixSeconds, store: Store<Stored>): Promise<Stored | "away">;
  /** Would the next failure be folded, if so many others are told before it? */
  isSpent(key: string, now: UnixSeconds, others?: number): Promise<boolean | "away">;
  /**
   * Notices that are due, one after the other. Rejects while the storage is away, and, after all others were told, where
   * one of them could not be.
   * @param store puts the notice with the notes, and waits for the disk (`PutOptions.waits`). False: it is asked again at the
   *     next call
   * @returns how many were stored
   */
  tellDue(now: UnixSeconds, store: (notice: Notice, notes: NoteChanges) => Promise<boolean>): Promise<number>;
  /** When to call `tellDue`; undefined with nothing folded. Rejects while the storage is away. */
  nextDue(now: UnixSeconds): Promise<UnixSeconds | undefined>;
}

export type Store<Stored> = (decision: "tell" | "fold", notes: NoteChanges) => Promise<Stored>;

/** What is folded stays until it is told, whatever a clock that was set forward thinks: the last second of four-digit years. */
const UNTIL_TOLD = 253_402_300_799;

export function createBuckets(notes: Notes, { sort, limits, lifeSeconds }: BucketsOptions): Buckets {
  const sorts = sortsOf(sort);
  const inTurn = createKeyedTurns();
  const telling = new Set<string>();
  const known = createKnownKeys();
  learnAll(notes, sorts, known);
  const findHead = async (key: string, now: UnixSeconds): Promise<Note | undefined | "away"> =>
    known.mayBe(key) ? await notes.find(sorts.head, key, now) : undefined;

  const changesOf = ({ key, about, messageId }: Failure, kept: Kept | undefined, now: UnixSeconds) => {
    const spent = spend(kept?.bucket, messageId, now, limits);
    const { bucket } = spent;
    const isFirst = kept?.bucket.folded === undefined;
    const write = [headNote(sorts, key, { about: isFirst ? about : kept.about, bucket }, now + lifeSeconds)];
    if (spent.kind === "fold" && spent.page)
      write.push(pageNote(sorts, key, spent.page.place, spent.page.messageIds));
    // With the first one of a notice.
    if (spent.kind === "fold" && spent.bucket.folded.count === 1)
      write.push(dueNote(sorts, key, spent.bucket.folded.due));
    return { decision: spent.kind, notes: { now, write, remove: [] } };
  };

  /** Undefined: there is no such bucket, or it was told meanwhile. */
  const noticeOf = async (key: string, now: UnixSeconds) => {
    const kept = readHead(await asked(notes.find(sorts.head, key, now)));
    const folded = kept?.bucket.folded;
    if (!kept || !folded || !isNoticeDue(folded.due, now, limits)) return undefined;
    const messageIds: string[] = [];
    for (let place = 0; place < folded.pages; place++)
      messageIds.push(...readPage(await asked(notes.find(sorts.page, pageKey(key, place), now))));
    const { about, bucket } = kept;
    const head = headNote(sorts, key, { about, bucket: afterNotice(bucket) }, now + lifeSeconds);
    const remove = [
      ...Array.from({ length: folded.pages }, (_, place) => ({ of: sorts.page, key: pageKey(key, place) })),
      { of: sorts.due, key: dueKey(folded.due, key) },
    ];
    return {
      notice: { key, about, count: folded.count, messageIds: [...messageIds, ...folded.tail] },
      notes: { now, write: [head], remove },
    };
  };

  const dueKeys = async function* (now: UnixSeconds): AsyncGenerator<string> {
    for await (const { key, value } of notes.all(sorts.due)) {
      if (readDue(key) > now) break;
      yield value;
    }
    // Of a clock that was set back since.
    yield* valuesOf(notes.all(sorts.due, dueKey(now + limits.noticeSeconds + 1, "")));
  };

  return {
    async spend(failure, now, store) {
      if (telling.has(failure.key)) return "away";
      return inTurn(failure.key, async () => {
        const found = await findHead(failure.key, now);
        if (found === "away") return found;
        // Whatever becomes of it: what is not stored for certain may be.
        known.add(failure.key);
        const changes = changesOf(failure, readHead(found), now);
        return store(changes.decision, changes.notes);
      });
    },

    async isSpent(key, now, others = 0) {
      const found = await findHead(key, now);
      if (found === "away") return found;
      let spent = spend(readHead(found)?.bucket, "", now, limits);
      for (let left = others; left > 0 && spent.kind === "tell"; left--)
        spent = spend(spent.bucket, "", now, limits);
      return spent.kind === "fold";
    },

    async tellDue(now, store) {
      const failed: unknown[] = [];
      let told = 0;
      for await (const key of dueKeys(now)) {
        telling.add(key);
        await inTurn(key, async () => {
          const due = await noticeOf(key, now);
          if (due && (await store(due.notice, due.notes))) told++;
        })
          .catch((error: unknown) => failed.push(error))
          .finally(() => telling.delete(key));
      }
      if (failed.length > 0) throw new AggregateError(failed, `${failed.length} notices could not be told`);
      return told;
    },

    async nextDue(now) {
      const latest = now + limits.noticeSeconds;
      for await (const { key } of notes.all(sorts.due)) {
        const due = readDue(key);
        if (due <= latest) return due;
        return now;
      }
      return undefined;
    },
  };
}

/** Those of the last run. While the storage is away nothing is complete, and all keys are asked for. */
function learnAll(notes: Notes, { head }: Sorts, known: KnownKeys): void {
  const learn = async (): Promise<void> => {
    for await (const { key } of notes.all(head)) known.add(key);
    known.complete();
  };
  learn().catch(() => {});
}

interface Kept {
  readonly about: string;
  readonly bucket: Bucket;
}

interface Sorts {
  readonly head: string;
  readonly page: string;
  readonly due: string;
}

function sortsOf(sort: string): Sorts {
  return { head: `bucket-${sort}`, page: `bucket-${sort}-page`, due: `bucket-${sort}-due` };
}

function headNote({ head }: Sorts, key: string, { about, bucket }: Kept, expires: UnixSeconds): Note {
  const value = JSON.stringify([about, bucket]);
  return { of: head, key, value, expires: bucket.folded ? UNTIL_TOLD : expires };
}

function readHead(note: Note | undefined): Kept | undefined {
  if (!note) return undefined;
  const [about, bucket] = JSON.parse(note.value) as [string, Bucket];
  return { about, bucket };
}

function pageNote({ page }: Sorts, key: string, place: number, messageIds: readonly string[]): Note {
  return { of: page, key: pageKey(key, place), value: JSON.stringify(messageIds), expires: UNTIL_TOLD };
}

function pageKey(key: string, place: number): string {
  return `${place} ${key}`;
}

function readPage(note: Note | undefined): readonly string[] {
  return note ? (JSON.parse(note.value) as string[]) : [];
}

/** In the order of time. */
function dueNote({ due: of }: Sorts, key: string, due: UnixSeconds): Note {
  return { of, key: dueKey(due, key), value: key, expires: UNTIL_TOLD };
}

const DUE_DIGITS = 12;

function dueKey(due: UnixSeconds, key: string): string {
  return `${Math.ceil(due).toString().padStart(DUE_DIGITS, "0")} ${key}`;
}

function readDue(key: string): UnixSeconds {
  return Number(key.slice(0, DUE_DIGITS));
}

async function* valuesOf(notes: AsyncIterable<Note>): AsyncGenerator<string> {
  for await (const { value } of notes) yield value;
}

async function asked(answer: Promise<Note | undefined | "away">): Promise<Note | undefined> {
  const note = await answer;
  if (note === "away") throw new Error("the spool cannot be asked now: the storage is away");
  return note;
}
