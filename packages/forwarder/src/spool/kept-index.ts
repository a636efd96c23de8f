// All kept senders by token, in memory, in as few octets as can be had: there may be some hundred thousand. Called by
// kept-senders.ts.
import type { Mailbox, UnixSeconds } from "@homing/srs-core";

export interface Kept {
  readonly sender: Mailbox;
  /** Who pays; "" for nobody. */
  readonly client: string;
  readonly expires: UnixSeconds;
}

export interface KeptIndex {
  /** Once, before anything else. */
  load(kept: AsyncIterable<[token: string, kept: Kept]>): Promise<void>;
  get(token: string): Kept | undefined;
  size(): number;
  /** Of one client. */
  countOf(client: string): number;
  /**
   * They are set in the order in which they expire. Not so after `maxAgeDays` was lowered: new ones stay behind older ones that
   * expire later, and hold room until those are gone, for the old `maxAgeDays` at most. Sorting at each would cost more.
   */
  set(token: string, kept: Kept): void;
  remove(token: string): void;
  expire(now: UnixSeconds): void;
}

export function createKeptIndex(): KeptIndex {
  /** The first to expire first. */
  const byToken = new Map<string, string>();
  const counts = new Map<string, number>();
  /** Nothing expires before. A Map's iterator steps over all that was removed from its front. */
  let nextExpiry = 0;

  const count = (client: string, change: number): void => {
    const sum = (counts.get(client) ?? 0) + change;
    if (sum > 0) counts.set(client, sum);
    else counts.delete(client);
  };
  const get = (token: string): Kept | undefined => {
    const text = byToken.get(token);
    return text === undefined ? undefined : unpack(text);
  };
  const remove = (token: string): void => {
    const kept = get(token);
    if (!kept) return;
    byToken.delete(token);
    count(kept.client, -1);
  };
  const put = (token: string, text: string, client: string): void => {
    remove(token);
    byToken.set(token, text);
    count(client, 1);
  };

  return {
    async load(kept) {
      const found: { token: string; text: string; client: string; expires: UnixSeconds }[] = [];
      for await (const [token, one] of kept) {
        const { client, expires } = one;
        found.push({ token, text: pack(one), client, expires });
      }
      found.sort((one, other) => one.expires - other.expires);
      for (const { token, text, client } of found) put(token, text, client);
    },
    get,
    size: () => byToken.size,
    countOf: (client) => counts.get(client) ?? 0,
    set: (token, kept) => put(token, pack(kept), kept.client),
    remove,
    expire(now) {
      if (now < nextExpiry) return;
      for (const [token, text] of byToken) {
        const { expires } = unpack(text);
        nextExpiry = expires;
        if (expires > now) return;
        remove(token);
      }
    },
  };
}

/**
 * One string, with all of its octets in one place: 210 with token and table, for a sender of 110. As an object it took 400, since
 * its strings kept the whole MAIL command that they were cut out of.
 */
function pack({ sender, client, expires }: Kept): string {
  return JSON.stringify([expires, client, sender.localPart, sender.domain]);
}

function unpack(text: string): Kept {
  const [expires, client, localPart, domain] = JSON.parse(text) as [UnixSeconds, string, string, string];
  return { sender: { localPart, domain }, client, expires };
}
