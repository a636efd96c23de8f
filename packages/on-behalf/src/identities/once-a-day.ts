// Mails of our own that strangers can cause: one to an address in 24 hours, and a number in all. Called by request-identity.ts
// and mail-link.ts.
// A fact `ob-mailed` for each such mail: its key is the kind, a blank, and the hash of the address; its value says who caused
// it. It is gone after 24 hours, and in `absent` of the transaction that sends the next one: two at once cannot both.
import type { UnixSeconds } from "@homing/srs-core";
import type { Fact, OnBehalfStore } from "../store.ts";
import { keyHash } from "./key-hash.ts";
import { SECONDS_OF_DAY } from "./links.ts";

export type MailedKind = "confirm" | "link";

/** @param address as `addressKey` makes it; @param cause counted together: a site's name */
export function mailedFact(kind: MailedKind, address: string, cause: string, now: UnixSeconds): Fact {
  return {
    of: "ob-mailed",
    key: `${kind} ${keyHash(address)}`,
    value: cause,
    expires: now + SECONDS_OF_DAY,
  };
}

export interface DayCounts {
  /** Counted at once, so that those who ask together cannot all have the last. `giveBack`: the mail was not sent. */
  reserve(cause: string, limit: number, now: UnixSeconds): Promise<Reserved>;
}

export type Reserved =
  | { readonly kind: "reserved"; giveBack(): void }
  | { readonly kind: "none-left"; readonly until: UnixSeconds }
  | { readonly kind: "away" };

/** Counts in memory, by when each ends: read from the storage once, and then kept. */
export function createDayCounts(store: Pick<OnBehalfStore, "all">, kind: MailedKind): DayCounts {
  let loading: Promise<Counts | undefined> | undefined;
  const load = async (): Promise<Counts | undefined> => {
    loading ??= readCounts(store, kind);
    const counts = await loading;
    if (!counts) loading = undefined;
    return counts;
  };
  return {
    async reserve(cause, limit, now) {
      const counts = await load();
      if (!counts) return { kind: "away" };
      const ends = stillCounted(counts, cause, now);
      // One more goes when the oldest of the last `limit` ends.
      const next = ends[ends.length - limit];
      if (ends.length >= limit) return { kind: "none-left", until: next ?? now + SECONDS_OF_DAY };
      const end = now + SECONDS_OF_DAY;
      ends.push(end);
      return { kind: "reserved", giveBack: () => takeOut(counts, cause, end) };
    },
  };
}

type Counts = Map<string, UnixSeconds[]>;

async function readCounts(store: Pick<OnBehalfStore, "all">, kind: MailedKind): Promise<Counts | undefined> {
  const counts: Counts = new Map();
  const prefix = `${kind} `;
  try {
    for await (const { key, value, expires } of store.all("ob-mailed", prefix)) {
      if (!key.startsWith(prefix)) break;
      const ends = counts.get(value);
      if (ends) ends.push(expires);
      else counts.set(value, [expires]);
    }
  } catch {
    // Rejects while the storage is away, and for no other reason.
    return undefined;
  }
  for (const ends of counts.values()) ends.sort((a, b) => a - b);
  return counts;
}

/** In the order in which they end. */
function stillCounted(counts: Counts, cause: string, now: UnixSeconds): UnixSeconds[] {
  const ends = counts.get(cause) ?? [];
  const over = ends.findIndex((end) => end > now);
  ends.splice(0, over < 0 ? ends.length : over);
  counts.set(cause, ends);
  return ends;
}

function takeOut(counts: Counts, cause: string, end: UnixSeconds): void {
  const ends = counts.get(cause) ?? [];
  const at = ends.lastIndexOf(end);
  if (at >= 0) ends.splice(at, 1);
}
