// Bounces to nobody@ are thrown away, and counted: one row for each site and day, and few events, for anybody can send there.
// Called by returns.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { Events } from "../on-behalf.ts";
import type { FactName, OnBehalfStore } from "../store.ts";

/** Each of the first hundred of a day is an event; then whenever there are twice as many. */
const EACH = 100;
const KEPT_SECONDS = 2 * 86_400;

export interface EatenOptions {
  readonly store: Pick<OnBehalfStore, "find" | "change">;
  readonly events: Pick<Events, "fact">;
}

export function createEaten({
  store,
  events,
}: EatenOptions): (site: string, now: UnixSeconds) => Promise<void> {
  // One after the other: each adds one to what the one before it wrote.
  let turn: Promise<void> = Promise.resolve();

  const count = async (site: string, now: UnixSeconds): Promise<void> => {
    const day = new Date(now * 1000).toISOString().slice(0, 10);
    const name: FactName = { of: "ob-count", key: `eaten ${site} ${day}` };
    const older = await store.find(name, now);
    // It is a count of what does not matter: while the storage is away it is not kept.
    if (older === "away") return;
    const total = Number(older?.value ?? 0) + 1;
    const fact = { ...name, value: String(total), expires: now + KEPT_SECONDS };
    const isTold = total <= EACH || Number.isInteger(Math.log2(total / EACH));
    const event = isTold ? [events.fact(site, "bounce.eaten", now, { day, count: total })] : [];
    await store.change({ now, write: [fact, ...event] });
  };

  return (site, now) => {
    const own = turn.then(() => count(site, now));
    // Whatever becomes of one, the next has its turn.
    turn = own.catch(() => {});
    return own;
  };
}
