// Words and shapes that options of several commands share. Called by the files beside this one.
import { Option } from "commander";

export type Action = () => Promise<number>;
/** Is told what the command line asks for. */
export type Choose = (action: Action) => void;

export const JSON_TEXT = "print JSON and nothing else";
export const SECRETS_TEXT = "secrets, one a line, newest first";
export const WEAK_TEXT = "take secrets under 22 characters, for classic tags that a site shares";
export const DNS_TEXT = "DNS server to ask: IP[:PORT], as often as there are (default: the system's)";
export const MAX_AGE_TEXT = "days for which an address is good (default: 21)";

/** An option that may come more than once. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text];
}

/** The first choice is the default. */
export function oneOf(flags: string, choices: readonly [string, ...string[]], description: string): Option {
  return new Option(flags, description).choices(choices).default(choices[0]);
}
