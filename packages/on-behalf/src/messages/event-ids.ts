// Ids of events, which only grow: neither a clock that is set back nor a restart puts an event before one that a site has read
// already. Called by events.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { OnBehalfStore } from "../store.ts";

/** Twelve digits are enough for seconds until the year 33658, six for the events of one second. */
const TIME_DIGITS = 12;
const PLACE_DIGITS = 6;
const ID = /^\d{12}-\d{6}$/;

export interface EventIds {
  next(at: UnixSeconds): string;
  /** Behind all of an earlier run, the last of which was made then. */
  beginBehind(last: UnixSeconds): void;
}

export function createEventIds(): EventIds {
  let time = 0;
  let place = 0;
  return {
    next(at) {
      if (at > time || place === 10 ** PLACE_DIGITS) {
        time = Math.max(at, time + 1);
        place = 0;
      }
      return `${digits(time, TIME_DIGITS)}-${digits(place++, PLACE_DIGITS)}`;
    },
    beginBehind(last) {
      if (last < time) return;
      time = last + 1;
      place = 0;
    },
  };
}

export function isEventId(text: string): boolean {
  return ID.test(text);
}

/**
 * The last second in which an id of these sites was made. Only what is not past is read: with a clock that was never set back
 * that is what was made in this second, mostly nothing. Rejects while the storage is away.
 */
export async function lastTime(
  store: Pick<OnBehalfStore, "all">,
  sites: readonly string[],
  now: UnixSeconds,
): Promise<UnixSeconds> {
  let last = now - 1;
  for (const site of sites) {
    const prefix = `${site} `;
    for await (const { key } of store.all("ob-event", prefix + digits(now, TIME_DIGITS))) {
      if (!key.startsWith(prefix)) break;
      last = Math.max(last, Number(key.slice(prefix.length, prefix.length + TIME_DIGITS)));
    }
  }
  return last;
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, "0");
}
