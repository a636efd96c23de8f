// Of an alias with several destinations, the sender hears of a failure only when all of them have failed: which of them
// did, for each message, is kept until bounces can come no more. Called by bounce-desk.ts and own-failures.ts.
import { createHash } from "node:crypto";
import { asciiLower, type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { createKeyedTurns } from "../spool/keyed-turns.ts";
import type { Note, Notes } from "../spool/notes.ts";

export interface PartialFailure {
  readonly sender: Mailbox;
  readonly alias: Mailbox;
  /** "" where it is not known: then nobody can say which failures belong together. */
  readonly messageId: string;
  /** Of the alias, as they are now. */
  readonly destinations: readonly Mailbox[];
  /** As they were reported; others' addresses among them say nothing about ours. */
  readonly failed: readonly string[];
}

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
}

export interface Added {
  readonly allFailed: boolean;
  readonly note: Note | undefined;
}

const SORT = "partial-failure";
/** Mail is tried for four days, and bounces come after. */
const LIFE_SECONDS = 14 * 86_400;
const NOT_KNOWN: Added = { allFailed: false, note: undefined };

export function createPartialFailures(notes: Pick<Notes, "find">): PartialFailures {
  const inTurn = createKeyedTurns();
  return {
    async add({ sender, alias, messageId, destinations, failed }, now, store) {
      const marks = new Map(destinations.map((one) => [folded(one), short(folded(one))]));
      const added = failed.flatMap((one) => marks.get(asciiLower(one)) ?? []);
      if (added.length === 0 || messageId === "") return await store(NOT_KNOWN);
      const key = short(JSON.stringify([folded(sender), folded(alias), messageId]));
      return await inTurn(key, async () => {
        const found = await notes.find(SORT, key, now);
        if (found === "away") return await store(found);
        const all = new Set([...(found ? (JSON.parse(found.value) as string[]) : []), ...added]);
        const note = { of: SORT, key, value: JSON.stringify([...all]), expires: now + LIFE_SECONDS };
        return await store({ allFailed: [...marks.values()].every((one) => all.has(one)), note });
      });
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
