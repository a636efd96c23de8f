// The results as text: one table a cell, the ratios beside what they must be, and the large bounce.
// Called by main.ts.
import { bounceCellTitle } from "../mta/cells.ts";
import { lostMessages, marks, ratio, ratioOf } from "../mta/figures.ts";
import { BASE, type PeerName } from "../mta/peer.ts";
import { renderCell, renderHead, renderWays } from "../mta/report.ts";
import type { CellRun, Results } from "../mta/results.ts";
import { renderTable } from "../mta/table.ts";
import { RETURNS_CELLS, returnsCellName } from "./cells.ts";
import type { LargeRun } from "./large.ts";

export interface ReturnsResults extends Results {
  /** The key that signs what Homing sends home. */
  readonly dkim: string;
  /** The smallest first. */
  readonly large: readonly LargeRun[];
}

/** Bounces of Homing to one of the base, both to the reply and to the sink. */
export const TARGET = 3;
/** What a bounce ten times as large may take more: the heap grows and shrinks by as much beside it. */
export const CONSTANT_MB = 40;

export function renderReturns(results: ReturnsResults): string {
  const cells = RETURNS_CELLS.filter((cell) =>
    results.runs.some((run) => run.cell === returnsCellName(cell)),
  );
  const parts = [
    renderHead(results),
    `${renderWays(results)}key that signs reports: ${results.dkim}\n`,
    ...cells.map((cell) =>
      renderCell({ name: returnsCellName(cell), title: bounceCellTitle(cell) }, results),
    ),
    ...results.peers
      .filter((peer) => peer !== BASE)
      .map((peer) => renderRatios(peer, cells.map(returnsCellName), results.runs)),
    ...(results.large.length === 0 ? [] : [renderLarge(results.large)]),
  ];
  return parts.join("\n");
}

function renderRatios(peer: PeerName, names: readonly string[], runs: readonly CellRun[]): string {
  const rows = names.map((name) => {
    const ofCell = runs.filter((run) => run.cell === name);
    const own = ofCell.filter((run) => run.peer === peer);
    const compared = { own, base: ofCell.filter((run) => run.peer === BASE) };
    const accepted = (run: CellRun): number => run.acceptedPerSecond ?? Number.NaN;
    const arrived = (run: CellRun): number => run.perSecond;
    const medians = [accepted, arrived].map((value) => ratioOf(compared, value)?.median ?? 0);
    const complete = own.length > 0 && !lostMessages(own);
    const isMet = complete && Math.min(...medians) >= TARGET;
    return [
      name,
      ratio(compared, accepted),
      `${marks(own)}${ratio(compared, arrived)}`,
      ratio(compared, (run) => run.cpuPer1000),
      isMet ? "met" : "MISSED",
    ];
  });
  const head = ["", "x accepted/s", "x arrived/s", "x CPU", `both >= ${TARGET}`];
  return `${peer}, times ${BASE} in the same round\n${renderTable([head, ...rows])}`;
}

const LARGE_HEAD = ["", "RSS MB before", "at the highest", "more", "CPU s", "s", "reply"];

function renderLarge(runs: readonly LargeRun[]): string {
  const rows = runs.map(({ megabytes, beforeMB, peakMB, cpuSeconds, seconds, reply }) => [
    `${megabytes} MB`,
    ...[beforeMB, peakMB, peakMB - beforeMB].map((value) => value.toFixed(1)),
    ...[cpuSeconds, seconds].map((value) => value.toFixed(2)),
    reply.slice(0, 3),
  ]);
  return `one large bounce through Homing: ${wordsOn(runs)}\n${renderTable([LARGE_HEAD, ...rows])}`;
}

function wordsOn(runs: readonly LargeRun[]): string {
  if (runs.some(({ reply }) => !reply.startsWith("250"))) return "REFUSED";
  const [largest] = runs.toReversed();
  const more = largest === undefined ? Number.NaN : largest.peakMB - largest.beforeMB;
  return `${more <= CONSTANT_MB ? "constant" : "NOT CONSTANT"} memory (at most ${CONSTANT_MB} MB more)`;
}
