// Times on the command line: Unix seconds or ISO 8601.
import { CommandFailure } from "./failure.ts";

/** @example parseTime("1700000000") === parseTime("2023-11-14T22:13:20Z") */
export function parseTime(text: string): number {
  if (/^\d{1,12}$/.test(text)) return Number(text);
  const iso = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/.test(text);
  const milliseconds = iso ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(milliseconds)) {
    const message = `--at ${text}: not a time: write Unix seconds (1700000000) or ISO 8601 (2023-11-14T22:13:20Z)`;
    throw new CommandFailure("usage", message);
  }
  return Math.floor(milliseconds / 1000);
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}
