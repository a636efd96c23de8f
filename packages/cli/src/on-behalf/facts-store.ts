// What is kept of sites and users: notes in the spool's database, and mail in the queue beside it. Called by sites.ts.
import type { Forwarder, NoteChanges, Notes } from "@homing/forwarder";
import { memoryContent } from "@homing/mail";
import type { Changes, Fact, OnBehalfStore } from "@homing/on-behalf";

export interface FactsStoreOptions {
  readonly notes: Notes;
  /** Undefined before the forwarder is there, and when it is gone. */
  readonly forwarder: () => Pick<Forwarder, "post"> | undefined;
}

export function createFactsStore({ notes, forwarder }: FactsStoreOptions): OnBehalfStore {
  return {
    async find({ of, key }, now) {
      return (await notes.find(of, key, now)) as Fact | undefined | "away";
    },
    all: (of, after) => notes.all(of, after) as AsyncIterable<Fact>,
    change: (changes) => notes.changeIf(noteChanges(changes)),
    async send(mails, changes) {
      const posted = mails.map(({ message, ...mail }) => ({ ...mail, content: memoryContent(message) }));
      const outcome = await forwarder()?.post(posted, noteChanges(changes));
      switch (outcome) {
        case "stored":
          return "done";
        case "conflict":
          return "conflict";
        default:
          return "away";
      }
    },
  };
}

/** Facts are notes. */
export function noteChanges({ now, write = [], remove = [], present, absent }: Changes): NoteChanges {
  return { now, write, remove, ...(present ? { present } : {}), ...(absent ? { absent } : {}) };
}
