// What outlives the process, in the state directory: the queue, late successes, senders that do not fit, what is known of
// failures. Opened by the composition root before the forwarder is started, and closed by it at the very end.
import { BOUNCE_LIMITS, OWN_FAILURE_LIMITS } from "@homing/bounce-handler";
import type { UnixSeconds } from "@homing/srs-core";
import { type Buckets, createBuckets } from "./spool/buckets.ts";
import { type KeptSenders, type KeptSendersOptions, openKeptSenders } from "./spool/kept-senders.ts";
import { type LateSuccessKeys, openLateSuccesses } from "./spool/late-successes.ts";
import type { Notes } from "./spool/notes.ts";
import { openSpool } from "./spool/open-spool.ts";
import type { Spool } from "./spool/spool.ts";

export interface State {
  readonly folder: string;
  readonly spool: Spool;
  readonly late: LateSuccessKeys;
  readonly keptSenders: KeptSenders;
  readonly failures: FailureState;
  /** Everything that was asked for before is written first. */
  close(): Promise<void>;
}

/** What is known of mail that failed: budgets, and what they folded. */
export interface FailureState {
  readonly notes: Notes;
  /** One for each SRS address, of what its sender and its alias's owner are told. */
  readonly bounces: Buckets;
  /** Of automatic answers to SRS addresses. */
  readonly answers: Buckets;
  /** Of mail that we could not deliver ourselves: one for each sender and alias. */
  readonly own: Buckets;
  /** Bounces of ours that could not be delivered, for the postmaster. */
  readonly double: Buckets;
}

export interface StateOptions {
  /** Made where there is none. */
  readonly folder: string;
  /** Of SRS addresses. */
  readonly maxAgeDays: number;
  readonly now: () => UnixSeconds;
  /** How many, and who is told that they are many. */
  readonly keptSenders?: Omit<KeptSendersOptions, "maxAgeDays">;
  /** Left free on its disk. */
  readonly minFreeOctets?: number;
  /** Told when the storage went away, with the cause, and when it is back. */
  readonly trouble?: (cause: string | undefined) => void;
}

/** Rejects with one line for a person where the folder cannot be used. */
export async function openState({
  folder,
  maxAgeDays,
  now,
  keptSenders: keptOptions,
  minFreeOctets,
  trouble,
}: StateOptions): Promise<State> {
  const spool = await openSpool({
    folder,
    trouble,
    ...(minFreeOctets === undefined ? {} : { minFreeOctets }),
  });
  try {
    const late = await openLateSuccesses(spool.notes, now);
    const keptSenders = await openKeptSenders(spool.notes, { ...keptOptions, maxAgeDays });
    const failures = failureState(spool.notes, maxAgeDays);
    return { folder, spool, late, keptSenders, failures, close: () => spool.close() };
  } catch (error) {
    await spool.close();
    throw error;
  }
}

const DAY = 86_400;
/** Three a day; what comes beyond is refused, so nothing is ever folded. */
const ANSWER_LIMITS = { atOnce: 3, refillSeconds: DAY, noticeSeconds: DAY, maxListed: 0 };
/** All of them are folded, and told once a day. */
const DOUBLE_LIMITS = { ...BOUNCE_LIMITS, atOnce: 0, noticeSeconds: DAY };

function failureState(notes: Notes, maxAgeDays: number): FailureState {
  // As long as an SRS address can be used, and a day for its stamp's end.
  const srsSeconds = (maxAgeDays + 2) * DAY;
  return {
    notes,
    bounces: createBuckets(notes, { sort: "bounce", limits: BOUNCE_LIMITS, lifeSeconds: srsSeconds }),
    answers: createBuckets(notes, { sort: "answer", limits: ANSWER_LIMITS, lifeSeconds: DAY }),
    own: createBuckets(notes, { sort: "own", limits: OWN_FAILURE_LIMITS, lifeSeconds: DAY }),
    double: createBuckets(notes, { sort: "double", limits: DOUBLE_LIMITS, lifeSeconds: DAY }),
  };
}
