// The command line of bench:mta.
// Called by main.ts.
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { ALL_NAMES, namesMeant, QUICK_NAMES } from "./cells.ts";
import { PEER_NAMES, type PeerName } from "./peer.ts";

export const CACHE = resolve(import.meta.dirname, "../../.cache/bench");

export const HELP = `npm run bench:mta -- [options]
Homing, Postfix + PostSRSd and Haraka as private instances on 127.0.0.1, measured in turn: docs/benchmarks.md.

  --rounds N      rounds, in each of which every peer has its turn (3)
  --seconds S     aimed length of one run (2.5)
  --only LIST     peers: ${PEER_NAMES.join(",")}
  --cells LIST    cells, or what their names begin with: 4k, 4k-many, 100k-one-50, latency, bounces
  --quick         short runs of the cells with the largest claims, under 3 minutes; for trying, not for figures
  --smoke         one short round of bounces, little warming up: that it works, no figures
  --json FILE     writes every single run, too
  --folder DIR    holds all queues and logs; on a disk, not a tmpfs (${join(".cache", "bench", "mta")})
  --help

Cells: ${ALL_NAMES.join(" ")}
`;

export interface Options {
  readonly rounds: number;
  readonly seconds: number;
  /** Of each kind, three times. */
  readonly warmUpMessages: number;
  /** Of one round of latency. */
  readonly latencySeconds: number;
  readonly peers: readonly PeerName[];
  readonly cells: ReadonlySet<string>;
  /** For trying: nobody judges the figures. */
  readonly isShort: boolean;
  /** Not so in a smoke test: nobody reads its figures. */
  readonly isMeasured: boolean;
  readonly json: string | undefined;
  readonly folder: string;
}

export type Parsed =
  | { readonly ok: true; readonly options: Options }
  | { readonly ok: false; readonly say: string; readonly exitCode: number };

const FULL = { rounds: "3", seconds: "2.5", warmUpMessages: 6000, latencySeconds: 10, cells: ALL_NAMES };
const QUICK = { ...FULL, seconds: "0.5", warmUpMessages: 1000, latencySeconds: 2, cells: QUICK_NAMES };
const SMOKE = {
  rounds: "1",
  seconds: "0.2",
  warmUpMessages: 50,
  latencySeconds: 1,
  cells: ["bounces-one-10"],
};

export function parseOptions(args: readonly string[]): Parsed {
  try {
    const values = parseValues(args);
    if (values.help) return { ok: false, say: HELP, exitCode: 0 };
    const defaults = defaultsFor(values);
    const options: Options = {
      rounds: numberIn("--rounds", values.rounds ?? defaults.rounds, { least: 1, most: 100 }),
      seconds: numberIn("--seconds", values.seconds ?? defaults.seconds, { least: 0.2, most: 60 }),
      warmUpMessages: defaults.warmUpMessages,
      latencySeconds: defaults.latencySeconds,
      peers: values.only === undefined ? PEER_NAMES : wordsOf(values.only).map(peerNamed),
      cells: new Set(values.cells === undefined ? defaults.cells : cellsMeant(values.cells)),
      isShort: values.quick === true || values.smoke === true,
      isMeasured: values.smoke !== true,
      json: values.json,
      folder: values.folder ?? join(CACHE, "mta"),
    };
    return { ok: true, options };
  } catch (error) {
    return { ok: false, say: `bench:mta: ${(error as Error).message}\n`, exitCode: 64 };
  }
}

function defaultsFor({ quick, smoke }: { readonly quick?: boolean; readonly smoke?: boolean }) {
  if (smoke) return SMOKE;
  return quick ? QUICK : FULL;
}

function parseValues(args: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  const strings = { rounds: text, seconds: text, only: text, cells: text, json: text, folder: text };
  return parseArgs({ args: [...args], options: { ...strings, quick: flag, smoke: flag, help: flag } }).values;
}

export function numberIn(
  name: string,
  text: string,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const value = Number(text);
  if (value >= least && value <= most && (name !== "--rounds" || Number.isInteger(value))) return value;
  throw new Error(
    `${name} ${text}: is no ${name === "--rounds" ? "whole " : ""}number from ${least} to ${most}`,
  );
}

function cellsMeant(list: string): readonly string[] {
  return wordsOf(list).flatMap((word) => {
    const names = namesMeant(word);
    if (names === undefined) throw new Error(`--cells ${word}: no such cell: see --help`);
    return names;
  });
}

function peerNamed(word: string): PeerName {
  const name = PEER_NAMES.find((one) => one === word);
  if (name === undefined) throw new Error(`--only ${word}: no such peer: ${PEER_NAMES.join(", ")}`);
  return name;
}

export function wordsOf(list: string): string[] {
  return list.split(",").filter(Boolean);
}
