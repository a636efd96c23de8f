// Senders that do not fit into an SRS address, kept in the spool's database. The rewriter asks at once, so all of them are
// in memory too; whoever uses the address first waits until its sender is on the disk. Called by the composition root and
// receive.ts.
import { type Mailbox, type SenderStore, sameDomain, type UnixSeconds } from "@homing/srs-core";
import type { Note, Notes } from "./notes.ts";

const SORT = "sender";
const DAY = 86_400;
/** In the place of a client network. */
const NO_QUOTA = "";
/** About 30 MB. A million clients with a hundred each would fill any memory. */
const MAX_SENDERS = 100_000;
/** Services that put a token into each sender have one for each message: a day's mail of one such, and a bound for all others. */
const MAX_SENDERS_OF_CLIENT = 5000;

export interface KeptSendersOptions {
  /** How long an address of ours is good: `maxAgeDays` of the rewriter. */
  readonly maxAgeDays: number;
  readonly maxSenders?: number;
  readonly maxSendersOfClient?: number;
}

export interface KeptSenders {
  /** For the rewriter. It keeps nothing outside of `onBehalfOf`. */
  readonly store: SenderStore;
  /**
   * Whoever is rewritten for meanwhile pays with the quota of this client network; undefined for clients without one.
   * `work` is synchronous.
   */
  onBehalfOf<T>(client: string | undefined, now: UnixSeconds, work: () => T): T;
  /** To be awaited before an address is used. False: a sender is not on the disk, and the address must not be used. */
  durable(): Promise<boolean>;
}

interface Kept {
  readonly sender: Mailbox;
  readonly client: string;
  readonly expires: UnixSeconds;
}

export async function openKeptSenders(notes: Notes, options: KeptSendersOptions): Promise<KeptSenders> {
  const { maxSenders = MAX_SENDERS, maxSendersOfClient = MAX_SENDERS_OF_CLIENT } = options;
  const index = createIndex();
  const found: [string, Kept][] = [];
  for await (const note of notes.all(SORT)) found.push([note.key, readNote(note)]);
  for (const [token, kept] of found.sort(([, one], [, other]) => one.expires - other.expires))
    index.set(token, kept);

  const writing = new Set<Promise<boolean>>();
  let onBehalf: { readonly client: string; readonly now: UnixSeconds } | undefined;

  const write = (token: string, kept: Kept, now: UnixSeconds): void => {
    index.set(token, kept);
    const written = notes.write(noteOf(token, kept), now);
    writing.add(written);
    void written.then((ok) => {
      writing.delete(written);
      if (!ok && index.get(token) === kept) index.remove(token);
    });
  };

  const store: SenderStore = {
    keep(token, sender) {
      if (!onBehalf) return false;
      const { client, now } = onBehalf;
      index.expire(now);
      const kept = index.get(token);
      if (kept && !sameMailbox(kept.sender, sender)) return false;
      // The stamp of an address counts days; a day more for the day that has begun.
      const expires = now + (options.maxAgeDays + 1) * DAY;
      if (kept && kept.expires >= expires) return true;
      if (kept) write(token, { ...kept, expires: expires + DAY }, now);
      else if (
        index.size() >= maxSenders ||
        (client !== NO_QUOTA && index.countOf(client) >= maxSendersOfClient)
      )
        return false;
      else write(token, { sender, client, expires: expires + DAY }, now);
      return true;
    },
    find: (token) => index.get(token)?.sender,
  };

  return {
    store,
    onBehalfOf(client, now, work) {
      onBehalf = { client: client ?? NO_QUOTA, now };
      try {
        return work();
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

/** By token, the first to expire first. */
function createIndex() {
  const byToken = new Map<string, Kept>();
  const counts = new Map<string, number>();
  const count = (client: string, change: number): void => {
    const sum = (counts.get(client) ?? 0) + change;
    if (sum > 0) counts.set(client, sum);
    else counts.delete(client);
  };
  const remove = (token: string): void => {
    const kept = byToken.get(token);
    if (!kept) return;
    byToken.delete(token);
    count(kept.client, -1);
  };
  return {
    get: (token: string) => byToken.get(token),
    size: () => byToken.size,
    countOf: (client: string) => counts.get(client) ?? 0,
    set(token: string, kept: Kept): void {
      remove(token);
      byToken.set(token, kept);
      count(kept.client, 1);
    },
    remove,
    expire(now: UnixSeconds): void {
      for (const [token, { expires }] of byToken) {
        if (expires > now) return;
        remove(token);
      }
    },
  };
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
  const [client, localPart, domain] = JSON.parse(value) as [string, string, string];
  return { client, sender: { localPart, domain }, expires };
}

function sameMailbox(one: Mailbox, other: Mailbox): boolean {
  return one.localPart === other.localPart && sameDomain(one.domain, other.domain);
}
