// The report of this benchmark: look-ups beside PostSRSd, mail beside Postfix alone, and memory. Called by main.ts.
import { loadavg } from "node:os";
import type { Machine } from "../mta/machine.ts";
import { ratiosInRounds, type Spread, spreadOf } from "../mta/statistics.ts";
import { renderTable } from "../mta/table.ts";
import { SHAPES } from "./look-ups.ts";
import { type LookUpRun, type MailRun, nameOf } from "./rounds.ts";

export const POSTSRSD = "PostSRSd 1.10, tcp table";
/** Over a UNIX socket, as the recipes have it. */
export const SOCKETMAP_NAME = "Homing, socketmap over UNIX";
export const SOCKETMAP_TCP_NAME = "Homing, socketmap over TCP";
export const TCP_NAME = "Homing, tcp table";
export const MAPS = [POSTSRSD, SOCKETMAP_NAME, SOCKETMAP_TCP_NAME, TCP_NAME] as const;
export const NO_MILTER = "Postfix alone";
export const MILTER = "Postfix with Homing's milter";

const LEAST_RATIO = 0.8;
const LEAST_PIPELINED = 100_000;
const MOST_RESIDENT_MB = 90;

export interface Report {
  readonly machine: Machine;
  readonly rounds: number;
  readonly seconds: number;
  readonly lookUps: readonly LookUpRun[];
  readonly mail: readonly MailRun[];
  /** After all runs, by command. */
  readonly residentMB: Readonly<Record<string, number>>;
}

export function renderAdapters(report: Report): string {
  const { machine, rounds, seconds } = report;
  return [
    `${machine.processor}, ${machine.cores} cores; Linux ${machine.kernel}, Node ${machine.node}\n`,
    `load average ${machine.loadAverage.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after\n`,
    `${rounds} rounds in turn, of ${seconds} s; medians (lowest-highest); who asks runs on the same cores\n`,
    ...SHAPES.map((shape) => lookUpTable(report, nameOf(shape))),
    mailTable(report),
    memory(report),
  ].join("\n");
}

function lookUpTable({ lookUps }: Report, shape: string): string {
  const runs = lookUps.filter((run) => nameOf(run.shape) === shape);
  const base = runs.filter(({ contestant }) => contestant === POSTSRSD);
  const rows = MAPS.map((name) => {
    const own = runs.filter(({ contestant }) => contestant === name);
    return [name, spread(rateOf(own), 0), spread(ratiosInRounds(inRounds(own), inRounds(base)), 2)];
  });
  const claims = [SOCKETMAP_NAME, SOCKETMAP_TCP_NAME, TCP_NAME].map((name) =>
    claim(runs, base, { name, shape }),
  );
  return [renderTable([[shape, "look-ups/s", "x"], ...rows]), ...claims].join("");
}

/** What shall be, of the shapes that something is said about. */
function claim(
  runs: readonly LookUpRun[],
  base: readonly LookUpRun[],
  { name, shape }: { readonly name: string; readonly shape: string },
): string {
  const own = runs.filter(({ contestant }) => contestant === name);
  const [single, pipelined] = SHAPES.map(nameOf);
  if (shape === single) {
    const ratio = ratiosInRounds(inRounds(own), inRounds(base))?.median ?? 0;
    return `${name}: at least ${LEAST_RATIO} of PostSRSd: ${word(ratio >= LEAST_RATIO)}\n`;
  }
  if (shape !== pipelined) return "";
  const rate = rateOf(own)?.median ?? 0;
  return `${name}: at least ${LEAST_PIPELINED}/s: ${word(rate >= LEAST_PIPELINED)}\n`;
}

function mailTable({ mail }: Report): string {
  const base = mail.filter(({ contestant }) => contestant === NO_MILTER);
  const rows = [NO_MILTER, MILTER].map((name) => {
    const own = mail.filter(({ contestant }) => contestant === name);
    return [name, spread(rateOf(own), 0), spread(ratiosInRounds(inRounds(own), inRounds(base)), 2)];
  });
  return renderTable([["4 KB, 10 sessions", "msg/s", "x"], ...rows]);
}

function memory({ residentMB }: Report): string {
  return Object.entries(residentMB)
    .map(([command, megabytes]) => {
      const isMet = megabytes <= MOST_RESIDENT_MB;
      return `homing ${command}: ${megabytes.toFixed(0)} MB resident; at most ${MOST_RESIDENT_MB}: ${word(isMet)}\n`;
    })
    .join("");
}

interface Rated {
  readonly round: number;
  readonly perSecond: number;
}

function rateOf(runs: readonly Rated[]): Spread | undefined {
  return spreadOf(runs.map(({ perSecond }) => perSecond));
}

function inRounds(runs: readonly Rated[]) {
  return runs.map(({ round, perSecond }) => ({ round, value: perSecond }));
}

function word(isMet: boolean): string {
  return isMet ? "met" : "MISSED";
}

function spread(found: Spread | undefined, digits: number): string {
  if (!found) return "-";
  const [lowest, median, highest] = [found.lowest, found.median, found.highest].map((one) =>
    one.toFixed(digits),
  );
  return `${median} (${lowest}-${highest})`;
}
