// What happened, for the site to read: one row each, in the transaction of what happened. Called by all that writes facts.
import type { UnixSeconds } from "@homing/srs-core";
import type { Events, EventType, SiteEvent } from "../on-behalf.ts";
import { refused } from "../problem.ts";
import type { Fact, OnBehalfStore } from "../store.ts";
import { away } from "./away.ts";
import { createUnseen, type Unseen } from "./unseen-events.ts";

const KEPT_SECONDS = 30 * 86_400;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
/** Twelve digits are enough for seconds until the year 33658, six for the events of one second. */
const TIME_DIGITS = 12;
const PLACE_DIGITS = 6;
const ID = /^\d{12}-\d{6}$/;

export function createEvents(store: Pick<OnBehalfStore, "all">, now: () => UnixSeconds): Events {
  const nextId = eventIds();
  const unseen = createUnseen(now);

  return {
    async list(site, after = "", limit = DEFAULT_LIMIT) {
      if (after !== "" && !ID.test(after)) {
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
      const id = nextId(at);
      const key = `${site} ${id}`;
      unseen.made(key);
      return { of: "ob-event", key, value: JSON.stringify({ type, at, data }), expires: at + KEPT_SECONDS };
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

/**
 * Ids that only grow: neither a clock that is set back nor a restart puts an event before one that a site has read already.
 */
function eventIds(): (at: UnixSeconds) => string {
  let time = 0;
  let place = 0;
  return (at) => {
    // Behind all of an earlier run, which may have ended in this second; none begins and ends in one.
    if (time === 0) time = at + 1;
    if (at > time || place === 10 ** PLACE_DIGITS) {
      time = Math.max(at, time + 1);
      place = 0;
    }
    return `${digits(time, TIME_DIGITS)}-${digits(place++, PLACE_DIGITS)}`;
  };
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
