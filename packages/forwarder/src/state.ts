// What outlives the process, in the state directory: the queue, late successes, senders that do not fit. Opened by the
// composition root before the forwarder is started, and closed by it at the very end.
import type { UnixSeconds } from "@homing/srs-core";
import { type KeptSenders, openKeptSenders } from "./spool/kept-senders.ts";
import { type LateSuccessKeys, openLateSuccesses } from "./spool/late-successes.ts";
import { openSpool } from "./spool/open-spool.ts";
import type { Spool } from "./spool/spool.ts";

export interface State {
  readonly folder: string;
  readonly spool: Spool;
  readonly late: LateSuccessKeys;
  readonly keptSenders: KeptSenders;
  /** Everything that was asked for before is written first. */
  close(): Promise<void>;
}

export interface StateOptions {
  /** Made where there is none. */
  readonly folder: string;
  /** Of SRS addresses. */
  readonly maxAgeDays: number;
  readonly now: () => UnixSeconds;
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
    const keptSenders = await openKeptSenders(spool.notes, { maxAgeDays });
    return { folder, spool, late, keptSenders, close: () => spool.close() };
  } catch (error) {
    await spool.close();
    throw error;
  }
}
