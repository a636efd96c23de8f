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

/** Of days that were asked for: a batch has few of them, and each costs as much as a tag. */
const dates = new Map<number, string>();
const MAX_DATES = 4 * STAMP_WRAP_DAYS;

function utcDate(day: number): string {
  const known = dates.get(day);
  if (known !== undefined) return known;
  const date = new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 10);
  if (dates.size >= MAX_DATES) dates.clear();
  dates.set(day, date);
  return date;
}
