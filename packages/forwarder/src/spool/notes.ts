// Small facts in the spool's database, each with a key and an end. Called by late-successes.ts and kept-senders.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { Note } from "./operations.ts";
import type { Writer } from "./writer.ts";

export type { Note } from "./operations.ts";

export interface Notes {
  /** Over an older one of the same key. False: it is not on the disk. `insists`: it waits until the storage is back. */
  write(note: Note, now: UnixSeconds, insists?: boolean): Promise<boolean>;
  /** Removes it: exactly one call gets true. False where it expired, too, and while the storage is away. */
  take(of: string, key: string, now: UnixSeconds): Promise<boolean>;
  /** Every note of a sort, by key. Rejects while the storage is away. */
  all(of: string): AsyncIterable<Note>;
}

const PAGE = 1000;

export function createNotes(writer: Writer): Notes {
  return {
    async write(note, now, insists = false) {
      const answer = await writer.ask({ kind: "note", note, now }, { waits: insists });
      return answer.kind === "done";
    },
    async take(of, key, now) {
      const answer = await writer.ask({ kind: "take-note", of, key, now });
      return answer.kind === "done" && answer.value;
    },
    async *all(of) {
      for (let after = ""; ; ) {
        const answer = await writer.ask({ kind: "notes", of, after, limit: PAGE });
        if (answer.kind !== "done") throw new Error(`the spool cannot be asked now: ${answer.cause}`);
        yield* answer.value;
        const last = answer.value.at(-1);
        if (last === undefined || answer.value.length < PAGE) return;
        after = last.key;
      }
    },
  };
}
