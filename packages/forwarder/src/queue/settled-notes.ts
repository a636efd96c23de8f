// What is to be known of mail that was sent for somebody, when our last attempt for a recipient is over. Called by conclude.ts.
import { NULL_PATH, type UnixSeconds } from "@homing/srs-core";
import type { SentMail, SettledMail } from "../bounces/sent-mail.ts";
import { bugText } from "../bug-text.ts";
import type { Report } from "../events.ts";
import type { Note, NoteChanges } from "../spool/notes.ts";
import type { Job } from "../spool/spool.ts";

export interface SettledOptions {
  /** Undefined where no mail is sent from here for anybody. */
  readonly sentMail?: Pick<SentMail, "settled"> | undefined;
  readonly report: Report;
}

const NONE: readonly Note[] = [];

/** Never throws: what the attempt found must be written down, or the mail is sent again. */
export function settledNotes(
  { sentMail, report }: SettledOptions,
  { message, recipient }: Job,
  outcome: SettledMail["outcome"],
  now: UnixSeconds,
): readonly Note[] {
  const { reversePath, alias } = recipient;
  // DSNs of our own, and all other mail to which nothing returns.
  if (!sentMail || reversePath === NULL_PATH) return NONE;
  try {
    return sentMail.settled({ id: message.id, reversePath, recipient: alias, outcome, now });
  } catch (error) {
    report({ event: "error", session: "", message: bugText(error) });
    return NONE;
  }
}

export function changesOf(write: readonly Note[], now: UnixSeconds): NoteChanges | undefined {
  return write.length === 0 ? undefined : { now, write, remove: [] };
}
