// The storage as the parts of this package have it. Nothing is decided before it is known behind which event a new one stands;
// and nobody reads past an event whose transaction is under way. Called by create-on-behalf.ts.
import type { Changes, OnBehalfStore } from "../store.ts";
import type { EventLog } from "./events.ts";

export function withEvents(
  store: OnBehalfStore,
  events: Pick<EventLog, "begin" | "underWay">,
): OnBehalfStore {
  const watched = async <Outcome extends "done" | "conflict" | "away">(
    { write = [] }: Changes,
    transaction: () => Promise<Outcome>,
  ): Promise<Outcome> => {
    const over = events.underWay(write);
    let outcome: Outcome | undefined;
    try {
      outcome = await transaction();
      return outcome;
    } finally {
      over(outcome === undefined || outcome === "away" ? "unknown" : "known");
    }
  };
  return {
    find: async (name, now) => ((await events.begin()) ? await store.find(name, now) : "away"),
    all: (of, after) => store.all(of, after),
    change: (changes) => watched(changes, () => store.change(changes)),
    send: (mails, changes) => watched(changes, () => store.send(mails, changes)),
  };
}
