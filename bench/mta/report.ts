// The results as text: one table a cell, light load, and what both modes of Homing show.
// Called by main.ts; the bench of bounces has the same head and tables.
import { BOUNCE_CELLS, bounceCellName, bounceCellTitle, CELLS, cellName, cellTitle } from "./cells.ts";
import { type Compared, marks, ratio, withRange } from "./figures.ts";
import { renderModes } from "./mode-tables.ts";
import { BASE, type PeerName } from "./peer.ts";
import type { CellRun, LatencyTurn, MtaResults, Results } from "./results.ts";
import { spreadOf } from "./statistics.ts";
import { renderTable } from "./table.ts";
import type { WayHome } from "./verify.ts";

export function renderReport(results: MtaResults): string {
  const wasRun = ({ name }: CellWords): boolean => results.runs.some(({ cell }) => cell === name);
  const mail = CELLS.map((cell) => ({ name: cellName(cell), title: cellTitle(cell) })).filter(wasRun);
  const bounces = BOUNCE_CELLS.map((cell) => ({
    name: bounceCellName(cell),
    title: bounceCellTitle(cell),
  })).filter(wasRun);
  const parts = [
    renderHead(results),
    ...mail.map((cell) => renderCell(cell, results)),
    ...(results.latencies.length === 0 ? [] : [renderLatency(results)]),
    ...(bounces.length === 0 ? [] : [renderWays(results)]),
    ...bounces.map((cell) => renderCell(cell, results)),
    renderModes(results),
  ];
  return parts.join("\n");
}

export function renderHead({
  machine,
  method,
  rounds,
  seconds,
  versions,
  leftOut,
  runs,
  latencies,
}: Results): string {
  const others = spreadOf([...runs, ...latencies].map((run) => run.others ?? Number.NaN));
  const shared = others === undefined ? "cannot be told without cgroups" : `${withRange(others, 2)} cores`;
  return `${machine.processor}, ${machine.cores} cores, ${machine.memoryGB} GB; Linux ${machine.kernel}; Node ${machine.node}
queues on ${machine.disk}
load average before ${machine.loadAverage.toFixed(2)}; other processes during the runs: ${shared}
${Object.entries(versions)
  .map(([peer, version]) => `${peer}: ${version}`)
  .join("; ")}
${rounds} rounds, runs of ${seconds} s, peers in turn; CPU by ${method === "cgroup" ? "cgroup, short-lived processes included" : "/proc, short-lived processes in part"}
medians (lowest-highest); x: times ${BASE} in the same round; ~: messages were missing; *: disturbed by other processes
${leftOut.map(({ peer, reason }) => `left out: ${peer}: ${reason}\n`).join("")}`;
}

const WAYS: Readonly<Record<WayHome, string>> = {
  unwrapped: "the bounce as it came, the private address in it",
  reissued: "a report of its own, without the private address",
};

/** Without it nobody could tell what a bounce a second is. */
export function renderWays({ waysHome }: Pick<Results, "waysHome">): string {
  return Object.entries(waysHome)
    .map(([peer, way]) => `${peer} sends home ${WAYS[way]}\n`)
    .join("");
}

const CELL_HEAD = [
  ...["", "msg/s", "x", "accepted/s", "CPU s/1000", "x"],
  ...["load's CPU", "RSS MB", "PSS MB", "processes"],
];

export interface CellWords {
  readonly name: string;
  readonly title: string;
}

export function renderCell(
  { name, title }: CellWords,
  { runs, peers }: Pick<Results, "runs" | "peers">,
): string {
  const own = runs.filter((run) => run.cell === name);
  const base = own.filter(({ peer }) => peer === BASE);
  const rows = peers.map((peer) => cellRow(peer, { own: own.filter((run) => run.peer === peer), base }));
  return `${title} [${name}]\n${renderTable([CELL_HEAD, ...rows])}`;
}

function cellRow(peer: PeerName, compared: Compared<CellRun>): string[] {
  const { own } = compared;
  const column = (value: (run: CellRun) => number, digits: number): string =>
    withRange(spreadOf(own.map(value)), digits);
  return [
    peer,
    `${marks(own)}${column((run) => run.perSecond, 0)}`,
    ratio(compared, (run) => run.perSecond),
    column((run) => run.acceptedPerSecond ?? Number.NaN, 0),
    column((run) => run.cpuPer1000, 3),
    ratio(compared, (run) => run.cpuPer1000),
    column((run) => run.loadCpuPer1000, 3),
    ...[column((run) => run.rssMB, 0), column((run) => run.pssMB, 0), column((run) => run.processes, 0)],
  ];
}

const LATENCY_HEAD = ["", "250 p50", "p99", "sink p50", "p99", "CPU s/1000", "RSS MB", "PSS MB"];

function renderLatency({ latencies, peers }: Results): string {
  const rows = peers.map((peer) =>
    latencyRow(
      peer,
      latencies.filter((run) => run.peer === peer),
    ),
  );
  const title =
    "20 messages/s of 4 KB, one a connection; ms from the final dot to the 250 and to the sink [latency]";
  return `${title}\n${renderTable([LATENCY_HEAD, ...rows])}`;
}

function latencyRow(peer: PeerName, own: readonly LatencyTurn[]): string[] {
  const column = (value: (run: LatencyTurn) => number, digits: number): string =>
    withRange(spreadOf(own.map(value)), digits);
  return [
    peer,
    `${marks(own)}${column((run) => run.reply.p50, 1)}`,
    column((run) => run.reply.p99, 1),
    column((run) => run.sink.p50, 1),
    column((run) => run.sink.p99, 1),
    column((run) => run.cpuPer1000, 2),
    column((run) => run.rssMB, 0),
    column((run) => run.pssMB, 0),
  ];
}
