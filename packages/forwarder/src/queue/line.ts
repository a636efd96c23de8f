// Jobs in memory that wait for a slot: what comes in faster than it leaves need not be read from the disk again. By domain, the
// oldest first; domains have their turns, so that a slow one holds up its own mail only. Called by queue.ts.
import { asciiLower } from "@homing/srs-core";
import type { Slots } from "./slots.ts";

/** "gone": there is no slot any more, for the queue ends or the message was dropped. */
export type Turn = "slot" | "gone";

export interface Place {
  /** Resolves when a slot is taken for it. @param id of the message */
  turn(id: string): Promise<Turn>;
  /** Nothing came of it. */
  cancel(): void;
}

export interface Line {
  /** Undefined where there is no place: it waits on the disk. */
  reserve(domain: string, octets: number): Place | undefined;
  /** Room or not: for what was claimed already. */
  join(domain: string, octets: number): Place;
  /** There may be a slot. */
  pump(): void;
  /** How many more there is room for. */
  room(): number;
  /** Domains that have enough to do for a while, in lower case. */
  busy(): readonly string[];
  /** All that have places. */
  domains(): readonly string[];
  /** So many places of this domain are taken. */
  length(domain: string): number;
  /** The message was dropped. */
  drop(id: string): void;
  close(): void;
}

export interface LineLimits {
  readonly jobs: number;
  readonly octets: number;
  /** A domain with so many waiting is busy; so is one that has a quarter of all octets. */
  readonly busyFrom: number;
}

interface Waiting {
  readonly id: string;
  readonly octets: number;
  readonly resolve: (turn: Turn) => void;
}

interface OfDomain {
  /** The waiting, and those with a place who are not there yet. */
  places: number;
  octets: number;
  readonly waiting: Waiting[];
}

/** @param freed a place of this domain is free; not at the end */
export function createLine(slots: Slots, limits: LineLimits, freed: (domain: string) => void): Line {
  /** The domain whose turn is next is first. */
  const domains = new Map<string, OfDomain>();
  let places = 0;
  let octets = 0;
  let closed = false;

  const take = (domain: string, size: number): Place => {
    const name = asciiLower(domain);
    const own = domains.get(name) ?? { places: 0, octets: 0, waiting: [] };
    domains.set(name, own);
    own.places++;
    own.octets += size;
    places++;
    octets += size;
    return {
      turn: (id) =>
        new Promise((resolve) => {
          const one = { id, octets: size, resolve };
          if (closed) leave(name, one, "gone");
          else {
            own.waiting.push(one);
            pump();
          }
        }),
      cancel: () => free(name, size),
    };
  };
  const free = (name: string, size: number): void => {
    places--;
    octets -= size;
    const own = domains.get(name);
    if (own) {
      own.places--;
      own.octets -= size;
      if (own.places === 0) domains.delete(name);
    }
    if (!closed) freed(name);
  };
  const leave = (name: string, { octets: size, resolve }: Waiting, turn: Turn): void => {
    free(name, size);
    resolve(turn);
  };

  /** The first whose domain has a slot; it goes behind the others. */
  const next = (): boolean => {
    for (const [name, own] of domains) {
      if (own.waiting.length === 0 || !slots.take(name)) continue;
      domains.delete(name);
      domains.set(name, own);
      const one = own.waiting.shift();
      if (one) leave(name, one, "slot");
      return true;
    }
    return false;
  };
  const pump = (): void => {
    while (slots.free() > 0 && next());
  };
  const dismiss = (which: (one: Waiting) => boolean): void => {
    for (const [name, own] of [...domains]) {
      const leaving = own.waiting.filter(which);
      const staying = own.waiting.filter((one) => !which(one));
      own.waiting.splice(0, own.waiting.length, ...staying);
      for (const one of leaving) leave(name, one, "gone");
    }
  };

  return {
    reserve(domain, size) {
      const own = domains.get(asciiLower(domain));
      // No domain has more than half.
      const isFull =
        places >= limits.jobs ||
        octets + size > limits.octets ||
        (own !== undefined && (2 * own.places >= limits.jobs || 2 * (own.octets + size) > limits.octets));
      return isFull || closed ? undefined : take(domain, size);
    },
    join: take,
    pump,
    room: () => (octets < limits.octets ? Math.max(0, limits.jobs - places) : 0),
    busy: () =>
      [...domains]
        .filter(([, own]) => own.places >= limits.busyFrom || 4 * own.octets >= limits.octets)
        .map(([name]) => name),
    domains: () => [...domains.keys()],
    length: (domain) => domains.get(asciiLower(domain))?.places ?? 0,
    drop: (id) => dismiss((one) => one.id === id),
    close() {
      closed = true;
      dismiss(() => true);
    },
  };
}
