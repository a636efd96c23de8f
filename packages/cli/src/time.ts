// Times on the command line: Unix seconds or ISO 8601. Called by the commands, and by `homing batch` for its bound.
import { CommandFailure } from "./failure.ts";

/** The end of the year 9999: later ones have no date of ten characters. */
export const MAX_UNIX_SECONDS = 253_402_300_799;

const ISO_8601 = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** @example parseTime("1700000000") === parseTime("2023-11-14T22:13:20Z") */
export function parseTime(text: string): number {
  const seconds = unixSeconds(text);
  if (seconds >= 0 && seconds <= MAX_UNIX_SECONDS) return seconds;
  const why = Number.isNaN(seconds) ? "not a time" : "not from 1970 to 9999";
  const message = `--at ${text}: ${why}: write Unix seconds (1700000000) or ISO 8601 (2023-11-14T22:13:20Z)`;
  throw new CommandFailure("usage", message);
}

function unixSeconds(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  return ISO_8601.test(text) ? Math.floor(Date.parse(text) / 1000) : Number.NaN;
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}

/** For ages of files. */
export function unixMilliseconds(): number {
  return Date.now();
}
