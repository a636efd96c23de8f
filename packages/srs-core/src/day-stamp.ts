// Day stamps: two base32 characters that say on which UTC day an SRS0 address was forged. Called by rewriter.ts.
// Source: Mail::SRS and every peer; the counter wraps after 1,024 days.

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const SECONDS_PER_DAY = 86_400;
/** After so many days a stamp comes again: ten bits. */
export const STAMP_WRAP_DAYS = 1024;

/** Unix time in seconds. The core has no clock: whoever calls says what time it is. */
export type UnixSeconds = number;

/** The stamp of the UTC day that holds `now`. */
export function dayStamp(now: UnixSeconds): string {
  const day = dayNumber(now);
  return ALPHABET.charAt(day >> 5) + ALPHABET.charAt(day & 31);
}

/** Two characters of either case; one or three are refused, whatever a tag says (PostSRSd's rule, not Mail::SRS's). */
export function isDayStamp(text: string): boolean {
  return text.length === 2 && base32Value(text.charCodeAt(0)) >= 0 && base32Value(text.charCodeAt(1)) >= 0;
}

/**
 * Days since the stamp was made, as good as ten bits can tell: from −512 (future) to 511.
 * An address of 1,024 days ago looks like one of today; no peer can tell them apart either.
 */
export function stampAgeDays(stamp: string, now: UnixSeconds): number {
  const day = (base32Value(stamp.charCodeAt(0)) << 5) | base32Value(stamp.charCodeAt(1));
  const age = (dayNumber(now) - day + STAMP_WRAP_DAYS) % STAMP_WRAP_DAYS;
  return age >= STAMP_WRAP_DAYS / 2 ? age - STAMP_WRAP_DAYS : age;
}

/** The value of a base32 character of either case, by character code; −1 for any other. */
const VALUES = Int8Array.from({ length: 0x80 }, (_, code) =>
  ALPHABET.indexOf(String.fromCharCode(code).toUpperCase()),
);

function base32Value(code: number): number {
  return VALUES[code] ?? -1;
}

function dayNumber(now: UnixSeconds): number {
  const day = Math.floor(now / SECONDS_PER_DAY) % STAMP_WRAP_DAYS;
  return day < 0 ? day + STAMP_WRAP_DAYS : day;
}
