// Keys of messages that reached their next hop after their client had been told 4xx, kept over a restart: when the client
// sends one again, it is answered and not delivered a second time. Called by the composition root for the hand-over.
import type { UnixSeconds } from "@homing/srs-core";
import type { Notes } from "./notes.ts";

/** Clients give up after four or five days (RFC 5321 §4.5.4.1). */
const LIFE_SECONDS = 5 * 86_400;
/** About 20 MB of keys. With more, the oldest are forgotten: a second copy may follow, nothing is lost. */
const MAX_KEYS = 100_000;
const MAX_EQUAL = 10;
const SORT = "late-success";

export interface LateSuccessKeys {
  /** Is there one at all? */
  any(): boolean;
  /** Resolves when it is on the disk; while the storage is away, at once, and it is written later. */
  record(key: string): Promise<void>;
  /** True for one call only. False while the storage is away: the message is then delivered again. */
  consume(key: string): Promise<boolean>;
}

export async function openLateSuccesses(
  notes: Notes,
  now: () => UnixSeconds,
  maxKeys = MAX_KEYS,
): Promise<LateSuccessKeys> {
  /** The first to expire first. */
  const expiries = new Map<string, UnixSeconds>();
  const add = (key: string, expires: UnixSeconds): void => {
    expiries.delete(key);
    expiries.set(key, expires);
  };
  const forgetOld = (): void => {
    for (const [key, expires] of expiries) {
      if (expires > now() && expiries.size <= maxKeys) return;
      expiries.delete(key);
    }
  };
  const found: [string, UnixSeconds][] = [];
  for await (const { key, expires } of notes.all(SORT)) found.push([key, expires]);
  for (const [key, expires] of found.sort(([, one], [, other]) => one - other)) add(key, expires);

  return {
    any() {
      forgetOld();
      return expiries.size > 0;
    },
    async record(same) {
      const key = names(same).find((name) => !expiries.has(name));
      // So many copies of one message are somebody's loop.
      if (key === undefined) return;
      const expires = now() + LIFE_SECONDS;
      add(key, expires);
      forgetOld();
      const note = { of: SORT, key, value: "", expires };
      if (await notes.write(note, now())) return;
      // The storage is away: nobody waits for it, and it is written when it is back.
      void notes.write(note, now(), true);
    },
    async consume(same) {
      forgetOld();
      const key = names(same).find((name) => expiries.has(name));
      if (key === undefined) return false;
      // Its place in memory goes first: nobody else asks the disk for it meanwhile.
      expiries.delete(key);
      if (await notes.take(SORT, key, now())) return true;
      // The storage is away: what is not answered with must not be there after the next start.
      void notes.take(SORT, key, now(), true);
      return false;
    },
  };
}

/** Equal messages are one key, and each of them may be taken late: one record for each. */
function names(key: string): readonly string[] {
  return Array.from({ length: MAX_EQUAL }, (_, nth) => (nth === 0 ? key : `${key}/${nth}`));
}
