// Refusals that we hear from next hops while a client waits, for the event log of failures: counted in memory, and written now and
// then, so that a flood to a dead alias costs a note a minute. Called by mail-out.ts for each attempt.
import type { BounceClass } from "@homing/bounce-handler";
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Cancel, Clock } from "../outbound/clock.ts";
import type { Note, Notes } from "../spool/notes.ts";
import { type FailureEvent, failureNote } from "./failure-events.ts";

export interface Refusal {
  readonly id: string;
  readonly alias: Mailbox;
  readonly target: Mailbox;
  readonly enhanced: string;
  readonly class: BounceClass;
}

export interface RefusalLog {
  add(refusal: Refusal): void;
  /** Writes what was counted. */
  close(): Promise<void>;
}

export interface RefusalLogOptions {
  readonly notes: Pick<Notes, "change">;
  readonly clock: Clock;
  readonly now: () => UnixSeconds;
}

const WRITE_SECONDS = 60;
/** Kinds of refusals between two writings; of what is beyond, nothing is known but the log. */
const MAX_KINDS = 1000;

export function createRefusalLog({ notes, clock, now }: RefusalLogOptions): RefusalLog {
  let counted = new Map<string, FailureEvent>();
  let cancel: Cancel | undefined;

  const write = async (): Promise<void> => {
    cancel?.();
    cancel = undefined;
    const events = [...counted.values()];
    counted = new Map();
    if (events.length === 0) return;
    // While the storage is away or nearly full they are lost: the log has them.
    await notes.change({ now: now(), write: events.map(refusalNote), remove: [] }, "needs-room");
  };

  return {
    add({ id, alias, target, enhanced, class: bounceClass }) {
      const key = JSON.stringify([renderMailbox(alias), renderMailbox(target), enhanced, bounceClass]);
      const before = counted.get(key);
      if (!before && counted.size >= MAX_KINDS) return;
      const event: FailureEvent = {
        ...{ at: now(), id, alias, destination: renderMailbox(target), action: "failed", enhanced },
        ...{ class: bounceClass, count: (before?.count ?? 0) + 1, trustworthy: true },
      } as const;
      counted.set(key, event);
      cancel ??= clock.after(WRITE_SECONDS * 1000, () => void write());
    },
    close: write,
  };
}

/** Several destinations may refuse one message in the same second. */
function refusalNote(event: FailureEvent, place: number): Note {
  const note = failureNote(event);
  return { ...note, key: `${note.key} refused ${place}` };
}
