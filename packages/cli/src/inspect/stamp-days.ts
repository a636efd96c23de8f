// Day stamps as dates for a person. Called by inspect.ts. Syntax and wrap: docs/srs.md.
import { STAMP_WRAP_DAYS, stampAgeDays, type UnixSeconds } from "@homing/srs-core";

const SECONDS_PER_DAY = 86_400;

export interface StampDays {
  /** From −512 (future) to 511, as verifiers reckon. */
  readonly ageDays: number;
  /** Noon of the day, in Unix seconds. */
  readonly noon: number;
  /** `2023-11-14`, UTC. */
  readonly date: string;
  /** 1,024 days earlier: the same stamp. */
  readonly before: string;
}

/** @param stamp two base32 characters of either case */
export function stampDays(stamp: string, now: UnixSeconds): StampDays {
  const ageDays = stampAgeDays(stamp, now);
  const day = Math.floor(now / SECONDS_PER_DAY) - ageDays;
  return {
    ageDays,
    noon: (day + 0.5) * SECONDS_PER_DAY,
    date: utcDate(day),
    before: utcDate(day - STAMP_WRAP_DAYS),
  };
}

/** A batch has few days, and each costs as much as a tag. */
const utcDate = remembered(4 * STAMP_WRAP_DAYS, (day) =>
  // Without the time of day. The first and the last years have more than ten characters.
  new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, -"T00:00:00.000Z".length),
);

/** What `make` gave before is given again, for at most so many days at a time. */
export function remembered(most: number, make: (day: number) => string): (day: number) => string {
  const known = new Map<number, string>();
  return (day) => {
    const before = known.get(day);
    if (before !== undefined) return before;
    const made = make(day);
    if (known.size >= most) known.clear();
    known.set(day, made);
    return made;
  };
}
