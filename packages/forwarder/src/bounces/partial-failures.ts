// Of an alias with several destinations, the sender hears of a failure only when all of them have failed: which of them
// did, for each message, is kept until bounces can come no more. Called by bounce-desk.ts and own-failures.ts.
import { createHash } from "node:crypto";
import type { ReturnedHeader } from "@homing/bounce-handler";
import { bareField, readTrace } from "@homing/mail";
import { asciiLower, type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { createKeyedTurns } from "../spool/keyed-turns.ts";
import type { Note, Notes } from "../spool/notes.ts";

export interface PartialFailure {
  readonly sender: Mailbox;
  readonly alias: Mailbox;
  /** `messageKeyOf`; "" where it is not known: then nobody can say which failures belong together. */
  readonly message: string;
  /** Of the alias, as they are now. */
  readonly destinations: readonly Mailbox[];
  /** As they were reported; others' addresses among them say nothing about ours. */
  readonly failed: readonly string[];
}

/** A refusal while the client waited, of which nobody is told by itself. */
export interface Refused {
  readonly sender: Mailbox;
  readonly alias: Mailbox;
  /** The message, from its header on. */
  readonly start: Buffer;
  readonly id: string;
  readonly target: Mailbox;
}

/** Of a message that we have: its Message-ID, or else our id, by which its failures here belong together all the same. */
export function messageKeyOf(start: Buffer, id: string): string {
  return readTrace(start, MAX_HOPS).messageId || id;
}

/** Of one that a bounce returns; "" without a Message-ID. */
export function returnedMessageKey(returned: ReturnedHeader = []): string {
  return bareField(returned.find(({ name }) => asciiLower(name) === "message-id")?.value ?? "");
}

/** Further down than any Message-ID. */
const MAX_HOPS = 1000;

export interface PartialFailures {
  /**
   * Failures of one message have their turns.
   * @param store told of what is known now; it stores `note` with whatever is told. "away" where the storage cannot be asked
   */
  add<Stored>(
    failure: PartialFailure,
    now: UnixSeconds,
    store: (added: Added | "away") => Promise<Stored>,
  ): Promise<Stored>;
  /** Written as well as the storage can. Never rejects. */
  keep(refused: Refused, now: UnixSeconds): Promise<void>;
}

export interface Added {
  readonly allFailed: boolean;
  readonly note: Note | undefined;
  /** Nothing was kept of the message before. */
  readonly isNew: boolean;
}

const SORT = "partial-failure";
/** Mail is tried for four days, and bounces come after. */
const LIFE_SECONDS = 14 * 86_400;
const NOT_KNOWN: Added = { allFailed: false, note: undefined, isNew: false };

export function createPartialFailures(notes: Pick<Notes, "find" | "change">): PartialFailures {
  const inTurn = createKeyedTurns();
  /** What is known of the message, with these marks. */
  const marked = async <Stored>(
    { sender, alias, message }: Pick<PartialFailure, "sender" | "alias" | "message">,
    added: readonly string[],
    now: UnixSeconds,
    store: (marks: ReadonlySet<string> | "away", note?: Note, isNew?: boolean) => Promise<Stored>,
  ): Promise<Stored> => {
    const key = short(JSON.stringify([folded(sender), folded(alias), message]));
    return await inTurn(key, async () => {
      const found = await notes.find(SORT, key, now);
      if (found === "away") return await store(found);
      const all = new Set([...(found ? (JSON.parse(found.value) as string[]) : []), ...added]);
      const note = { of: SORT, key, value: JSON.stringify([...all]), expires: now + LIFE_SECONDS };
      return await store(all, note, found === undefined);
    });
  };
  return {
    async add({ destinations, failed, ...about }, now, store) {
      const marks = new Map(destinations.map((one) => [folded(one), short(folded(one))]));
      const added = failed.flatMap((one) => marks.get(asciiLower(one)) ?? []);
      if (added.length === 0 || about.message === "") return await store(NOT_KNOWN);
      return await marked(about, added, now, async (all, note, isNew = false) =>
        all === "away"
          ? await store(all)
          : await store({ allFailed: [...marks.values()].every((one) => all.has(one)), note, isNew }),
      );
    },
    async keep({ sender, alias, start, id, target }, now) {
      const about = { sender, alias, message: messageKeyOf(start, id) };
      const write = (note: Note | undefined) =>
        note ? notes.change({ now, write: [note], remove: [] }) : Promise.resolve(false);
      // A failure of the spool's own is told by the spool.
      await marked(about, [short(folded(target))], now, (_, note) => write(note)).catch(() => {});
    },
  };
}

function folded(mailbox: Mailbox): string {
  return asciiLower(renderMailbox(mailbox));
}

/** Destinations are private, and Message-IDs long. */
function short(text: string): string {
  return createHash("sha256").update(text).digest("base64url").slice(0, 22);
}
