// Senders that do not fit into an SRS address, kept in the spool's database (ADR 0032). The rewriter asks at once, so all of them
// are in memory too; whoever uses the address first waits until its sender is on the disk. Called by state.ts; used by receive.ts
// and by the adapters.
import { type Mailbox, type SenderStore, sameDomain, type UnixSeconds } from "@homing/srs-core";
import { customerOf } from "../client-networks.ts";
import { createKeptIndex, type Kept } from "./kept-index.ts";
import { KEPT_SENDERS, type KeptSendersAlarm } from "./kept-limits.ts";
import type { Note, Notes } from "./notes.ts";

const SORT = "sender";
const DAY = 86_400;
/** In the place of a client network. */
const NO_QUOTA = "";

/** Of the room for all. With less in use a lone big sender takes nothing that anybody else needs. */
const QUOTA_FROM = 0.5;
/** The same, for the alarm: under the second, the next time is another one. */
const [ALARM_FROM, CALM_FROM] = [0.9, 0.8];

export interface KeptSendersOptions {
  /** How long an address of ours is good: `maxAgeDays` of the rewriter. */
  readonly maxAgeDays: number;
  readonly maxSenders?: number;
  /** While more than half of the room is in use. */
  readonly maxSendersOfNetwork?: number;
  /** Told when nine tenths of the room are in use. */
  readonly alarm?: (alarm: KeptSendersAlarm) => void;
}

export interface KeptSenders {
  /** For the rewriter. It keeps nothing outside of `onBehalfOf`. */
  readonly store: SenderStore;
  /**
   * Whoever is rewritten for meanwhile pays with the quota of this client (its address, or the network of that); undefined for
   * clients without one. `work` is synchronous. `no-room`: a sender would have been kept, and will be when others have expired.
   */
  onBehalfOf<T>(client: string | undefined, now: UnixSeconds, work: () => T): T | "no-room";
  /** To be awaited before an address is used. False: a sender is not on the disk, and the address must not be used. */
  durable(): Promise<boolean>;
}

export async function openKeptSenders(notes: Notes, options: KeptSendersOptions): Promise<KeptSenders> {
  const { maxSenders = KEPT_SENDERS.inAll, maxSendersOfNetwork = KEPT_SENDERS.perNetwork } = options;
  const index = createKeptIndex();
  await index.load(keptIn(notes));
  const tellIfMany = createFillAlarm(maxSenders, options.alarm);

  const writing = new Set<Promise<boolean>>();
  /** When it will expire. Until that is on the disk, what was there before is true. */
  const renewing = new Map<string, UnixSeconds>();
  let onBehalf: { readonly client: string; readonly now: UnixSeconds; lacksRoom: boolean } | undefined;

  const write = (token: string, kept: Kept, now: UnixSeconds): Promise<boolean> => {
    const written = notes.write(noteOf(token, kept), now);
    writing.add(written);
    void written.then(() => writing.delete(written));
    return written;
  };
  const add = (token: string, kept: Kept, now: UnixSeconds): void => {
    index.set(token, kept);
    void write(token, kept, now).then((ok) => {
      if (!ok) index.remove(token);
    });
  };
  const renew = (token: string, kept: Kept, now: UnixSeconds): void => {
    renewing.set(token, kept.expires);
    void write(token, kept, now).then((ok) => {
      if (ok) index.set(token, kept);
      if (renewing.get(token) === kept.expires) renewing.delete(token);
    });
  };
  const hasRoom = (client: string): boolean => {
    const size = index.size();
    const isUncontested = client === NO_QUOTA || size < maxSenders * QUOTA_FROM;
    return size < maxSenders && (isUncontested || index.countOf(client) < maxSendersOfNetwork);
  };

  const store: SenderStore = {
    keep(token, sender) {
      if (!onBehalf) return false;
      const { now } = onBehalf;
      index.expire(now);
      const kept = index.get(token);
      if (kept && !sameMailbox(kept.sender, sender)) return false;
      // The stamp of an address counts days; a day more for the day that has begun.
      const expires = now + (options.maxAgeDays + 1) * DAY;
      if (kept) {
        const known = renewing.get(token) ?? kept.expires;
        if (known < expires) renew(token, { ...kept, expires: expires + DAY }, now);
        return true;
      }
      const client = onBehalf.client === NO_QUOTA ? NO_QUOTA : customerOf(onBehalf.client);
      const isTaken = hasRoom(client);
      if (isTaken) add(token, { sender, client, expires: expires + DAY }, now);
      else onBehalf.lacksRoom = true;
      tellIfMany(index.size());
      return isTaken;
    },
    find: (token) => index.get(token)?.sender,
  };

  return {
    store,
    onBehalfOf(client, now, work) {
      const own = { client: client ?? NO_QUOTA, now, lacksRoom: false };
      onBehalf = own;
      try {
        const made = work();
        return own.lacksRoom ? "no-room" : made;
      } finally {
        onBehalf = undefined;
      }
    },
    async durable() {
      const written = await Promise.all(writing);
      return written.every(Boolean);
    },
  };
}

/** Told once, and again where it was calm in between. */
function createFillAlarm(
  room: number,
  alarm: KeptSendersOptions["alarm"] = () => {},
): (kept: number) => void {
  let isTold = false;
  return (kept) => {
    if (kept < room * CALM_FROM) isTold = false;
    if (isTold || kept < room * ALARM_FROM) return;
    isTold = true;
    alarm({ kept, room });
  };
}

async function* keptIn(notes: Notes): AsyncIterable<[token: string, kept: Kept]> {
  for await (const note of notes.all(SORT)) yield [note.key, readNote(note)];
}

function noteOf(token: string, { sender, client, expires }: Kept): Note {
  return {
    of: SORT,
    key: token,
    value: JSON.stringify([client, sender.localPart, sender.domain]),
    expires,
  };
}

function readNote({ value, expires }: Note): Kept {
  const [network, localPart, domain] = JSON.parse(value) as [string, string, string];
  // Earlier versions wrote an IPv6 /64.
  const client = network === NO_QUOTA ? NO_QUOTA : customerOf(network);
  return { client, sender: { localPart, domain }, expires };
}

function sameMailbox(one: Mailbox, other: Mailbox): boolean {
  return one.localPart === other.localPart && sameDomain(one.domain, other.domain);
}
