// What is to be known of mail that was sent for somebody, when our last attempt for a recipient is over. A recipient that leads to
// several destinations has one end: how many they are, and what became of each, is nobody's but its owner's. Called by conclude.ts.
import { type Mailbox, renderMailbox, type UnixSeconds } from "@homing/srs-core";
import { isReturnPath, type SentMail, type SettledMail } from "../bounces/sent-mail.ts";
import { bugText } from "../bug-text.ts";
import type { Report } from "../events.ts";
import { createKeyedTurns } from "../spool/keyed-turns.ts";
import type { Note, NoteChanges, Notes } from "../spool/notes.ts";
import type { Job } from "../spool/spool.ts";

export interface SettledOptions {
  /** Undefined where no mail is sent from here for anybody. */
  readonly sentMail: Pick<SentMail, "settled" | "rewriters"> | undefined;
  readonly notes: Pick<Notes, "find">;
  readonly report: Report;
}

export interface Settled {
  readonly job: Job;
  readonly outcome: SettledMail["outcome"];
  readonly now: UnixSeconds;
}

/**
 * Never throws by itself: what the attempt found must be written down, or the mail is sent again.
 * @param store has the notes written in the transaction that ends the recipient
 */
export type WithSettledNotes = <Stored>(
  settled: Settled,
  store: (notes: readonly Note[]) => Promise<Stored>,
) => Promise<Stored>;

const NONE: readonly Note[] = [];
const SORT = "shared-end";
/** The end is told: `delivered` with the first destination that has the mail, `failed` with the last that has not. */
const TOLD = "told";
/** Behind the end of the message: the service may have been down for long. */
const KEPT_SECONDS = 14 * 86_400;

export const NOBODY_ASKS: WithSettledNotes = (_, store) => store(NONE);

export function createSettledNotes({ sentMail, notes, report }: SettledOptions): WithSettledNotes {
  if (!sentMail) return NOBODY_ASKS;
  const inTurn = createKeyedTurns();

  const asked = ({ job, outcome, now }: Settled, reversePath: Mailbox): readonly Note[] => {
    const { message, recipient } = job;
    try {
      return sentMail.settled({ id: message.id, reversePath, recipient: recipient.alias, outcome, now });
    } catch (error) {
      report({ event: "error", session: "", message: bugText(error) });
      return NONE;
    }
  };

  const ofShared = async (settled: Settled, reversePath: Mailbox, key: string): Promise<readonly Note[]> => {
    const { job, outcome, now } = settled;
    const found = await notes.find(SORT, key, now, true);
    // The spool is closed: nothing will be written.
    if (found === "away" || found?.value === TOLD) return NONE;
    const note = (value: string): Note => ({
      of: SORT,
      key,
      value,
      expires: job.message.expires + KEPT_SECONDS,
    });
    const failed = Number(found?.value ?? 0) + 1;
    const isEnd = outcome.kind === "delivered" || failed >= job.recipient.targets;
    return isEnd ? [note(TOLD), ...asked(settled, reversePath)] : [note(String(failed))];
  };

  return async (settled, store) => {
    const { message, recipient } = settled.job;
    const { reversePath, alias, targets } = recipient;
    if (!isReturnPath(sentMail, reversePath)) return await store(NONE);
    if (targets < 2) return await store(asked(settled, reversePath));
    const key = `${message.id} ${renderMailbox(alias)}`;
    return await inTurn(key, async () => await store(await ofShared(settled, reversePath, key)));
  };
}

export function changesOf(write: readonly Note[], now: UnixSeconds): NoteChanges | undefined {
  return write.length === 0 ? undefined : { now, write, remove: [] };
}
