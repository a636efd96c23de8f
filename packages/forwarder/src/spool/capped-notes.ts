// Notes of one sort under a cap in octets: beyond it the oldest go. How much they take is known without reading them, also
// after a restart. Called by bounces/links.ts.
import type { UnixSeconds } from "@homing/srs-core";
import type { Note, Notes } from "./notes.ts";

export interface CappedNotesOptions {
  readonly sort: string;
  /** Of all that are there, roughly: those that expired count until they are removed. */
  readonly maxOctets: number;
  readonly lifeSeconds: number;
}

export interface CappedNotes {
  find(key: string, now: UnixSeconds): Promise<Note | undefined | "away">;
  /** Under a key that is not there yet. False where it is not on the disk: that is away, full, or nearly full. */
  add(key: string, value: string, now: UnixSeconds): Promise<boolean>;
  /** Another value, no longer than the one that was found. Its end stays. */
  replace(found: Note, value: string, now: UnixSeconds): Promise<boolean>;
}

/** Keys, places, and what the database needs for them. */
const OCTETS_BESIDE = 300;
/** Some milliseconds of the writer thread. */
const REMOVED_AT_ONCE = 100;
/** Of the cap: with less than this found free, the next note would look again. */
const WORTH_A_LOOK = 0.01;
/** For 10^15 octets that were ever written. */
const PLACE_DIGITS = 15;
/** As long as the database: the last second of four-digit years. */
const FOR_EVER = 253_402_300_799;

/** Octets that were ever written: before the oldest note that is there, and up to now. */
interface Ring {
  start: number;
  end: number;
}

/** The place of a note is the number of octets that were written before it: the oldest has the lowest. */
export function createCappedNotes(notes: Notes, options: CappedNotesOptions): CappedNotes {
  const { sort, maxOctets, lifeSeconds } = options;
  const sorts = { place: `${sort}-place`, end: `${sort}-end` };
  let ring: Ring | undefined;
  let opening: Promise<Ring | undefined> | undefined;
  let freeing: Promise<boolean> | undefined;

  const open = async (now: UnixSeconds): Promise<Ring | undefined> => {
    const written = await notes.find(sorts.end, "", now);
    const places = await oldest(notes, sorts.place, 1);
    if (written === "away" || places === "away") return undefined;
    const end = Number(written?.value ?? 0);
    return { start: placeOf(places[0]) ?? end, end };
  };
  const opened = (now: UnixSeconds): Ring | Promise<Ring | undefined> => {
    if (ring) return ring;
    opening ??= open(now).then((found) => {
      opening = undefined;
      ring = found;
      return found;
    });
    return opening;
  };

  /** The oldest go, unless enough have expired and are gone. */
  const free = async (known: Ring, now: UnixSeconds): Promise<boolean> => {
    const { end } = known;
    const places = await oldest(notes, sorts.place, REMOVED_AT_ONCE + 1);
    if (places === "away") return false;
    const first = placeOf(places[0]) ?? end;
    if (first - known.start >= maxOctets * WORTH_A_LOOK) {
      known.start = first;
      return true;
    }
    const remove = places.slice(0, REMOVED_AT_ONCE).flatMap(({ key, value }) => [
      { of: sorts.place, key },
      { of: sort, key: value },
    ]);
    if (!(await notes.change({ now, write: [], remove }))) return false;
    known.start = placeOf(places[REMOVED_AT_ONCE]) ?? end;
    return true;
  };
  const hasRoom = async (known: Ring, octets: number, now: UnixSeconds): Promise<boolean> => {
    if (octets > maxOctets) return false;
    while (known.end - known.start + octets > maxOctets) {
      freeing ??= free(known, now).finally(() => {
        freeing = undefined;
      });
      if (!(await freeing)) return false;
    }
    return true;
  };

  return {
    find: (key, now) => notes.find(sort, key, now),

    async add(key, value, now) {
      const known = await opened(now);
      const octets = Buffer.byteLength(value) + OCTETS_BESIDE;
      if (!known || !(await hasRoom(known, octets, now))) return false;
      const place = known.end.toString().padStart(PLACE_DIGITS, "0");
      known.end += octets;
      const expires = now + lifeSeconds;
      const write = [
        { of: sort, key, value, expires },
        { of: sorts.place, key: place, value: key, expires },
        { of: sorts.end, key: "", value: `${known.end}`, expires: FOR_EVER },
      ];
      return await notes.change({ now, write, remove: [] }, "needs-room");
    },

    replace: ({ key, expires }, value, now) =>
      notes.change({ now, write: [{ of: sort, key, value, expires }], remove: [] }, "needs-room"),
  };
}

async function oldest(notes: Notes, of: string, most: number): Promise<readonly Note[] | "away"> {
  const found: Note[] = [];
  try {
    for await (const note of notes.all(of)) if (found.push(note) === most) break;
  } catch {
    // It rejects for nothing else.
    return "away";
  }
  return found;
}

function placeOf(note: Note | undefined): number | undefined {
  return note && Number(note.key);
}
