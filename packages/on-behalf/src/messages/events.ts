// What happened, for the site to read: one row each, in the transaction of what happened. Called by all that writes facts.
import type { UnixSeconds } from "@homing/srs-core";
import { away } from "../away.ts";
import type { Events, EventType, SiteEvent } from "../on-behalf.ts";
import { refused } from "../problem.ts";
import type { Fact, OnBehalfStore } from "../store.ts";
import { createEventIds, isEventId, lastTime } from "./event-ids.ts";
import { createUnseen, type Unseen } from "./unseen-events.ts";

const KEPT_SECONDS = 30 * 86_400;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;

export interface EventLog extends Events {
  /** Looks where events of this run begin, once: before that, one may stand beside those of an earlier run. False: away. */
  begin(): Promise<boolean>;
  /** Those of a transaction that begins. What comes back is to be called when it is over; `unknown`: it may yet be stored. */
  underWay(facts: readonly Fact[]): (outcome: "known" | "unknown") => void;
}

export interface EventsOptions {
  readonly store: Pick<OnBehalfStore, "all">;
  /** Their names. */
  readonly sites: readonly string[];
  readonly now: () => UnixSeconds;
}

export function createEvents({ store, sites, now }: EventsOptions): EventLog {
  const ids = createEventIds();
  const unseen = createUnseen(now);
  let beginning: Promise<boolean> | undefined;

  const begin = async (): Promise<boolean> => {
    try {
      ids.beginBehind(await lastTime(store, sites, now()));
      return true;
    } catch {
      // Rejects while the storage is away, and for no other reason.
      return false;
    }
  };

  return {
    async list(site, after = "", limit = DEFAULT_LIMIT) {
      if (after !== "" && !isEventId(after)) {
        return refused("invalid-field", "after is the id of no event", {
          field: "after",
          hint: "give the `next` of an earlier answer, or leave it out to begin with the oldest",
        });
      }
      try {
        const most = Math.min(Math.max(1, Math.floor(limit)), MAX_LIMIT);
        const events = await page(store, unseen, { site: site.name, after, most, now: now() });
        return { ok: true, events, next: events.at(-1)?.id ?? after };
      } catch {
        return away();
      }
    },
    fact(site, type, at, data) {
      const id = ids.next(at);
      const key = `${site} ${id}`;
      unseen.made(key);
      return { of: "ob-event", key, value: JSON.stringify({ type, at, data }), expires: at + KEPT_SECONDS };
    },
    begin() {
      beginning ??= begin().then((hasBegun) => {
        if (!hasBegun) beginning = undefined;
        return hasBegun;
      });
      return beginning;
    },
    underWay(facts) {
      const keys = facts.filter(({ of }) => of === "ob-event").map(({ key }) => key);
      unseen.held(keys);
      return (outcome) => unseen.over(keys, outcome);
    },
  };
}

interface Page {
  readonly site: string;
  readonly after: string;
  readonly most: number;
  readonly now: UnixSeconds;
}

async function page(
  store: Pick<OnBehalfStore, "all">,
  unseen: Unseen,
  { site, after, most, now }: Page,
): Promise<readonly SiteEvent[]> {
  const prefix = `${site} `;
  // Before anything is read: what is stored after this moment is read next time.
  const underWay = unseen.under(prefix);
  const facts: Fact[] = [];
  for await (const fact of store.all("ob-event", prefix + after)) {
    if (!fact.key.startsWith(prefix)) break;
    unseen.seen(fact.key);
    if (fact.expires > now) facts.push(fact);
    if (facts.length === most) break;
  }
  const read = new Set(facts.map(({ key }) => key));
  const earliest = underWay.find((key) => !read.has(key) && key > prefix + after);
  return facts
    .filter(({ key }) => earliest === undefined || key < earliest)
    .map(({ key, value }) => eventOf(key.slice(prefix.length), value));
}

function eventOf(id: string, value: string): SiteEvent {
  const { type, at, data } = JSON.parse(value) as {
    type: EventType;
    at: UnixSeconds;
    data: SiteEvent["data"];
  };
  return { id, type, at, data };
}
