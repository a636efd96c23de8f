// The command line of bench:authentication. Called by main.ts.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CACHE, numberIn, wordsOf } from "../mta/options.ts";
import { CONTESTANTS } from "./contestants.ts";

const HELP = `npm run bench:authentication -- [options]
What it costs to check who sends (SPF, DKIM, DMARC) and to seal what is forwarded (ARC), beside the plain path: services
on 127.0.0.1 with DNS in memory, measured in turn, with the delay of their event loops.

  --rounds N      rounds, in each of which all have their turn (3)
  --seconds S     aimed length of one run (2.5)
  --sessions LIST at a time (1,10,50)
  --threads N     that check and seal (one for each core, four at most)
  --only LIST     contestants by number, from 0, which is the plain path and always there
  --smoke         one short round with 2 sessions: that it works, no figures
  --json FILE     writes every single run, too
  --help
`;

export interface AuthenticationOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly sessions: readonly number[];
  readonly threads: number;
  readonly contestants: readonly number[];
  readonly json: string | undefined;
  readonly folder: string;
}

export type Parsed =
  | { readonly ok: true; readonly options: AuthenticationOptions }
  | { readonly ok: false; readonly say: string; readonly exitCode: number };

const FULL = { rounds: "3", seconds: "2.5", sessions: "1,10,50" };
const SMOKE = { rounds: "1", seconds: "0.2", sessions: "2" };
const MOST_THREADS = 4;
const MOST_SESSIONS = 500;

export function parseAuthenticationOptions(args: readonly string[], cores: number): Parsed {
  try {
    const values = parseValues(args);
    if (values.help) return { ok: false, say: HELP, exitCode: 0 };
    const defaults = values.smoke ? SMOKE : FULL;
    const all = CONTESTANTS.map((_, index) => index);
    const only =
      values.only === undefined
        ? all
        : wordsOf(values.only).map((word) => within("--only", word, [0, all.length - 1]));
    const options: AuthenticationOptions = {
      rounds: numberIn("--rounds", values.rounds ?? defaults.rounds, { least: 1, most: 100 }),
      seconds: numberIn("--seconds", values.seconds ?? defaults.seconds, { least: 0.2, most: 60 }),
      sessions: wordsOf(values.sessions ?? defaults.sessions).map((word) =>
        within("--sessions", word, [1, MOST_SESSIONS]),
      ),
      threads: within("--threads", values.threads ?? `${Math.min(cores, MOST_THREADS)}`, [1, 64]),
      contestants: [...new Set([0, ...only])],
      json: values.json,
      folder: join(CACHE, "authentication"),
    };
    return { ok: true, options };
  } catch (error) {
    return { ok: false, say: `bench:authentication: ${(error as Error).message}\n`, exitCode: 64 };
  }
}

function parseValues(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const strings = { rounds: text, seconds: text, sessions: text, threads: text, only: text, json: text };
  return parseArgs({ args: [...args], options: { ...strings, smoke: flag, help: flag } }).values;
}

function within(name: string, word: string, [least, most]: readonly [number, number]): number {
  const value = numberIn(name, word, { least, most });
  if (!Number.isInteger(value))
    throw new Error(`${name} ${word}: is no whole number from ${least} to ${most}`);
  return value;
}
