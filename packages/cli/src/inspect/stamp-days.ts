// Day stamps as dates for a person. Called by inspect.ts. Syntax and wrap: docs/srs.md.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECONDS_PER_DAY = 86_400;
const WRAP_DAYS = 1024;

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
export function stampDays(stamp: string, now: number): StampDays {
  const [high = 0, low = 0] = [...stamp.toUpperCase()].map((letter) => ALPHABET.indexOf(letter));
  const today = Math.floor(now / SECONDS_PER_DAY);
  const past = (((today - (high * 32 + low)) % WRAP_DAYS) + WRAP_DAYS) % WRAP_DAYS;
  const ageDays = past >= WRAP_DAYS / 2 ? past - WRAP_DAYS : past;
  const day = today - ageDays;
  return {
    ageDays,
    noon: (day + 0.5) * SECONDS_PER_DAY,
    date: utcDate(day),
    before: utcDate(day - WRAP_DAYS),
  };
}

function utcDate(day: number): string {
  return new Date(day * SECONDS_PER_DAY * 1000).toISOString().slice(0, 10);
}
