// The event log of failures, by alias and destination: one note in the spool's database for each, for 30 days, up
// to the cap of ../spool/note-caps.ts. Written with whatever the failure is told by, in one transaction; read by the console,
// pausing and webhooks.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import type { Note, Notes } from "../spool/notes.ts";

export interface FailureEvent {
  readonly at: UnixSeconds;
  /** Of the message: as in the log. */
  readonly id: string;
  /** Undefined where the SRS address does not say. */
  readonly alias: Mailbox | undefined;
  /** As our tables have it, or as a bounce says it, which anybody may have made up. Private: it never leaves. */
  readonly destination: string | undefined;
  readonly action: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
  /** RFC 3463, as `5.1.1`. */
  readonly enhanced: string;
  readonly class: string;
  /** Failures of the same kind that this stands for. */
  readonly count: number;
  /**
   * We saw the refusal ourselves. Anybody who holds an SRS address can forge a bounce: what is not trustworthy must not
   * pause an alias by itself.
   */
  readonly trustworthy: boolean;
}

const SORT = "failure";
const LIFE_SECONDS = 30 * 86_400;
const TIME_DIGITS = 12;

export function failureNote(event: FailureEvent): Note {
  const { at, id, alias } = event;
  return {
    of: SORT,
    key: `${timeKey(at)} ${id}`,
    value: JSON.stringify({ ...event, alias: alias && renderMailbox(alias) }),
    expires: at + LIFE_SECONDS,
  };
}

/** As it is kept: the alias is a text. */
export type KeptFailure = Omit<FailureEvent, "alias"> & {
  readonly alias?: string;
  /** Give it to the next call, to go on behind it. */
  readonly position: string;
};

/** Oldest first. Rejects while the storage is away. */
export async function* failuresAfter(notes: Notes, position = ""): AsyncGenerator<KeptFailure> {
  for await (const { key, value } of notes.all(SORT, position))
    yield { ...(JSON.parse(value) as Omit<KeptFailure, "position">), position: key };
}

/** In the order of time. */
function timeKey(at: UnixSeconds): string {
  return Math.floor(at).toString().padStart(TIME_DIGITS, "0");
}
