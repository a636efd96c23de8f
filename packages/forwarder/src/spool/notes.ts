// Small facts in the spool's database, each with a key and an end. Called by late-successes.ts, kept-senders.ts,
// buckets.ts, capped-notes.ts, and files of bounces/.
import type { UnixSeconds } from "@homing/srs-core";
import type { Note, NoteChanges } from "./operations.ts";
import type { Writer } from "./writer.ts";

export type { Note, NoteChanges, NoteName } from "./operations.ts";

export interface Notes {
  /** Over an older one of the same key. False: it is not on the disk. `insists`: it waits until the storage is back. */
  write(note: Note, now: UnixSeconds, insists?: boolean): Promise<boolean>;
  /**
   * Several at once. Like `put`, where the outcome is unknown it is false, and may yet be on the disk. False, too, where
   * `present` or `absent` forbid it. `room`: what can be done without is not written where the disk is nearly full.
   */
  change(changes: NoteChanges, room?: "needs-room"): Promise<boolean>;
  /**
   * Says which it was where `present` or `absent` forbid it: `conflict`, and nothing is changed. Exactly one of those who want a
   * note that must be absent, or who take one that must be present, gets `done`. `away`: it may yet be on the disk. Rejects where
   * the notes are none: that is a bug.
   */
  changeIf(changes: NoteChanges, room?: "needs-room"): Promise<"done" | "conflict" | "away">;
  /** Undefined where it expired, too. `insists`: it waits until the storage is back, and is `away` with a closed spool alone. */
  find(of: string, key: string, now: UnixSeconds, insists?: boolean): Promise<Note | undefined | "away">;
  /** Removes it: exactly one call gets true. False where it expired, too, and while the storage is away, unless it insists. */
  take(of: string, key: string, now: UnixSeconds, insists?: boolean): Promise<boolean>;
  /** Every note of a sort behind `after`, by key. Rejects while the storage is away. */
  all(of: string, after?: string): AsyncIterable<Note>;
}

const PAGE = 1000;

function changing(notes: NoteChanges, room: "needs-room" | undefined) {
  return { kind: "change-notes", notes, ...(room ? { needsRoom: true as const } : {}) } as const;
}

export function createNotes(writer: Writer): Notes {
  return {
    async write(note, now, insists = false) {
      const answer = await writer.ask({ kind: "note", note, now }, { waits: insists });
      return answer.kind === "done";
    },
    async change(notes, room) {
      const answer = await writer.ask(changing(notes, room));
      return answer.kind === "done" && answer.value === "changed";
    },
    async changeIf(notes, room) {
      const answer = await writer.ask(changing(notes, room));
      if (answer.kind === "refused") throw new Error(`the spool does not take these notes: ${answer.cause}`);
      if (answer.kind !== "done") return "away";
      return answer.value === "changed" ? "done" : "conflict";
    },
    async find(of, key, now, insists = false) {
      const answer = await writer.ask({ kind: "find-note", of, key, now }, { waits: insists });
      return answer.kind === "done" ? answer.value : "away";
    },
    async take(of, key, now, insists = false) {
      const answer = await writer.ask({ kind: "take-note", of, key, now }, { waits: insists });
      return answer.kind === "done" && answer.value;
    },
    async *all(of, first = "") {
      for (let after = first; ; ) {
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
