// The command line of bench:returns.
// Called by main.ts.
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Sessions } from "../mta/cells.ts";
import type { DkimKey } from "../mta/homing-config.ts";
import { CACHE, numberIn, wordsOf } from "../mta/options.ts";
import { RETURNS_CELLS, returnsCellName } from "./cells.ts";

export const HELP = `npm run bench:returns -- [options]
Bounces to SRS addresses: Homing, which reads each and sends a report of its own, beside Postfix + PostSRSd, which
unwrap and relay it. Private instances on 127.0.0.1, measured in turn; then a large bounce through Homing alone.

  --rounds N      rounds, in each of which both have their turn (3)
  --seconds S     aimed length of one run (2.5)
  --cells LIST    cells, or what their names begin with: one, many-10
  --large MB      size of the large bounce, 1 to 250 (100)
  --dkim KEY      signs Homing's reports: none, rsa (2048 bits) or ed25519 (none: Postfix signs nothing either)
  --smoke         one short round of one cell, little warming up, a bounce of 5 MB: that it works, no figures
  --json FILE     writes every single run, too
  --folder DIR    holds all queues and logs; on a disk, not a tmpfs (${join(".cache", "bench", "returns")})
  --help

Cells: ${RETURNS_CELLS.map(returnsCellName).join(" ")}
`;

export interface ReturnsOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly cells: readonly Sessions[];
  readonly largeMegabytes: number;
  readonly dkim: DkimKey | undefined;
  /** Not so in a smoke test: nobody reads its figures. */
  readonly isMeasured: boolean;
  /** Of each kind, three times. */
  readonly warmUpBounces: number;
  readonly json: string | undefined;
  readonly folder: string;
}

export type Parsed =
  | { readonly ok: true; readonly options: ReturnsOptions }
  | { readonly ok: false; readonly say: string; readonly exitCode: number };

const FULL = { rounds: "3", seconds: "2.5", cells: "one,many", large: "100", warmUpBounces: 6000 };
const SMOKE = { rounds: "1", seconds: "0.2", cells: "one-10", large: "5", warmUpBounces: 50 };

export function parseReturnsOptions(args: readonly string[]): Parsed {
  try {
    const values = parseValues(args);
    if (values.help) return { ok: false, say: HELP, exitCode: 0 };
    const defaults = values.smoke ? SMOKE : FULL;
    const options: ReturnsOptions = {
      rounds: numberIn("--rounds", values.rounds ?? defaults.rounds, { least: 1, most: 100 }),
      seconds: numberIn("--seconds", values.seconds ?? defaults.seconds, { least: 0.2, most: 60 }),
      cells: cellsChosen(values.cells ?? defaults.cells),
      largeMegabytes: numberIn("--large", values.large ?? defaults.large, { least: 1, most: 250 }),
      dkim: keyNamed(values.dkim ?? "none"),
      isMeasured: values.smoke !== true,
      warmUpBounces: defaults.warmUpBounces,
      json: values.json,
      folder: values.folder ?? join(CACHE, "returns"),
    };
    return { ok: true, options };
  } catch (error) {
    return { ok: false, say: `bench:returns: ${(error as Error).message}\n`, exitCode: 64 };
  }
}

function parseValues(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const figures = { rounds: text, seconds: text, large: text };
  const strings = { ...figures, cells: text, dkim: text, json: text, folder: text };
  return parseArgs({ args: [...args], options: { ...strings, smoke: flag, help: flag } }).values;
}

function keyNamed(word: string): DkimKey | undefined {
  if (word === "none") return undefined;
  if (word === "rsa" || word === "ed25519") return word;
  throw new Error(`--dkim ${word}: no such key: none, rsa, ed25519`);
}

function cellsChosen(list: string): Sessions[] {
  const words = wordsOf(list);
  const isMeant = (cell: Sessions, word: string): boolean => {
    const name = returnsCellName(cell);
    return name === word || name.startsWith(`${word}-`);
  };
  for (const word of words) {
    if (!RETURNS_CELLS.some((cell) => isMeant(cell, word))) {
      throw new Error(`--cells ${word}: no such cell: see --help`);
    }
  }
  return RETURNS_CELLS.filter((cell) => words.some((word) => isMeant(cell, word)));
}
