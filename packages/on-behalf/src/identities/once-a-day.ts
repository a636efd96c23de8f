// Mails of our own that strangers can cause: one to an address in 24 hours, and a number in all. Called by request-identity.ts
// and mail-link.ts.
// A fact `ob-mailed` for each such mail: its key is the kind, a blank, and the hash of the address; its value says who caused
// it. It is gone after 24 hours, and in `absent` of the transaction that sends the next one: two at once cannot both.
import type { UnixSeconds } from "@homing/srs-core";
import type { Fact, OnBehalfStore } from "../store.ts";
import { keyHash } from "./key-hash.ts";
import { SECONDS_OF_DAY } from "./links.ts";

export type MailedKind = "confirm" | "link";
/** No site and no network is called so. */
export const ALL_CAUSES = "";

/** @param address as `personKey` makes it; @param cause counted together: a site's name, or a visitor's network */
export function mailedFact(kind: MailedKind, address: string, cause: string, now: UnixSeconds): Fact {
  return {
    of: "ob-mailed",
    key: `${kind} ${keyHash(address)}`,
    value: cause,
    expires: now + SECONDS_OF_DAY,
  };
}

export interface DayCounts {
  /**
   * Counted at once, so that those who ask together cannot all have the last. `giveBack`: the mail was not sent.
   * @param limits each cause with how many it may have in 24 hours; ALL_CAUSES is how many there may be of all causes
   */
  reserve(limits: ReadonlyMap<string, number>, now: UnixSeconds): Promise<Reserved>;
}

export type Reserved =
  | { readonly kind: "reserved"; giveBack(): void }
  | { readonly kind: "none-left"; readonly cause: string; readonly until: UnixSeconds }
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
    async reserve(limits, now) {
      const counts = await load();
      if (!counts) return { kind: "away" };
      const end = now + SECONDS_OF_DAY;
      for (const [cause, limit] of limits) {
        const ends = stillCounted(counts, cause, now);
        // One more goes when the oldest of the last `limit` ends.
        if (ends.length >= limit)
          return { kind: "none-left", cause, until: ends[ends.length - limit] ?? end };
      }
      const causes = [...limits.keys()];
      for (const cause of causes) counts.get(cause)?.push(end);
      return {
        kind: "reserved",
        giveBack() {
          for (const cause of causes) takeOut(counts, cause, end);
        },
      };
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
      for (const cause of new Set([value, ALL_CAUSES])) {
        const ends = counts.get(cause);
        if (ends) ends.push(expires);
        else counts.set(cause, [expires]);
      }
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
