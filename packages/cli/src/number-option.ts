// Whole numbers on the command line. Called by the commands.
import { DEFAULT_MAX_AGE_DAYS } from "@homing/srs-core";
import { CommandFailure } from "./failure.ts";

export interface NumberRange {
  readonly min: number;
  readonly max: number;
}

export function numberOption(option: string, text: string, { min, max }: NumberRange): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : -1;
  if (value >= min && value <= max) return value;
  throw new CommandFailure("usage", `${option} ${text}: write a whole number from ${min} to ${max}`);
}

/** `--max-age-days`; the library's limit is what ten bits can tell. */
export function maxAgeOption(text: string | undefined): number {
  return text === undefined
    ? DEFAULT_MAX_AGE_DAYS
    : numberOption("--max-age-days", text, { min: 0, max: 511 });
}
