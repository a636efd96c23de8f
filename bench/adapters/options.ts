// The command line of bench:adapters. Called by main.ts.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { CACHE, numberIn } from "../mta/options.ts";

const HELP = `npm run bench:adapters -- [options]
Homing's socketmap and tcp tables beside PostSRSd 1.10: look-ups a second; and Postfix with Homing's milter beside the same
Postfix without one: messages a second. All on 127.0.0.1, measured in turn.

  --rounds N      rounds, in each of which all have their turn (3)
  --seconds S     length of one run (2)
  --smoke         one short round: that it works, no figures
  --json FILE     writes every single run, too
  --help
`;

export interface AdaptersOptions {
  readonly rounds: number;
  readonly seconds: number;
  readonly json: string | undefined;
  readonly folder: string;
}

export type Parsed =
  | { readonly ok: true; readonly options: AdaptersOptions }
  | { readonly ok: false; readonly say: string; readonly exitCode: number };

const FULL = { rounds: "3", seconds: "2" };
const SMOKE = { rounds: "1", seconds: "0.2" };

export function parseAdaptersOptions(args: readonly string[]): Parsed {
  try {
    const text = { type: "string" } as const;
    const flag = { type: "boolean" } as const;
    const { values } = parseArgs({
      args: [...args],
      options: { rounds: text, seconds: text, json: text, smoke: flag, help: flag },
    });
    if (values.help) return { ok: false, say: HELP, exitCode: 0 };
    const defaults = values.smoke ? SMOKE : FULL;
    const options: AdaptersOptions = {
      rounds: numberIn("--rounds", values.rounds ?? defaults.rounds, { least: 1, most: 100 }),
      seconds: numberIn("--seconds", values.seconds ?? defaults.seconds, { least: 0.2, most: 60 }),
      json: values.json,
      folder: join(CACHE, "adapters"),
    };
    return { ok: true, options };
  } catch (error) {
    return { ok: false, say: `bench:adapters: ${(error as Error).message}\n`, exitCode: 64 };
  }
}
