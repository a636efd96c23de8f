// The results as text: one table a cell, light load, and the ratios of both modes of Homing.
// Called by main.ts; the bench of bounces has the same head and tables.
import { CELLS, cellName, cellTitle } from "./cells.ts";
import { BASE, type PeerName } from "./peer.ts";
import type { CellRun, LatencyTurn, Results } from "./results.ts";
import { type InRound, ratiosInRounds, type Spread, spreadOf } from "./statistics.ts";
import { renderTable } from "./table.ts";

/** CPU seconds a second of strangers, from which on a run is said to have been disturbed. */
const DISTURBED = 0.35;

const MODES: Readonly<Partial<Record<PeerName, string>>> = {
  "homing-durable": "durable: every message is on disk before the 250, as with the other peers",
  "homing-in-session": "in-session: the next hop has taken the message before the 250",
};

export function renderReport(results: Results): string {
  const cells = CELLS.map(cellName).filter((name) => results.runs.some(({ cell }) => cell === name));
  const parts = [
    renderHead(results),
    ...CELLS.filter((cell) => cells.includes(cellName(cell))).map((cell) =>
      renderCell({ name: cellName(cell), title: cellTitle(cell) }, results),
    ),
    ...(results.latencies.length === 0 ? [] : [renderLatency(results)]),
    ...(cells.length === 0 ? [] : [renderRatios(cells, results)]),
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

export interface Compared<T> {
  readonly own: readonly T[];
  readonly base: readonly T[];
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

/** What the whole benchmark is for: Homing's two modes beside the base, cell by cell. */
function renderRatios(cells: readonly string[], { runs, peers }: Results): string {
  const tables = peers.flatMap((peer) => {
    const mode = MODES[peer];
    if (mode === undefined) return [];
    const rows = cells.map((name) =>
      ratioRow(
        name,
        peer,
        runs.filter((run) => run.cell === name),
      ),
    );
    return [`Homing ${mode}\n${renderTable([["", "x messages/s", "x CPU"], ...rows])}`];
  });
  return tables.join("\n");
}

function ratioRow(name: string, peer: PeerName, runs: readonly CellRun[]): string[] {
  const own = runs.filter((run) => run.peer === peer);
  const compared = { own, base: runs.filter((run) => run.peer === BASE) };
  return [
    name,
    `${marks(own)}${ratio(compared, (run) => run.perSecond)}`,
    ratio(compared, (run) => run.cpuPer1000),
  ];
}

export function ratio(compared: Compared<CellRun>, value: (run: CellRun) => number): string {
  return withRange(ratioOf(compared, value), 2);
}

export function ratioOf(
  { own, base }: Compared<CellRun>,
  value: (run: CellRun) => number,
): Spread | undefined {
  const inRounds = (runs: readonly CellRun[]): InRound[] =>
    runs.map((run) => ({ round: run.round, value: value(run) }));
  return ratiosInRounds(inRounds(own), inRounds(base));
}

interface Marked {
  readonly offered: number;
  readonly arrived: number;
  readonly others: number | undefined;
}

export function marks(runs: readonly Marked[]): string {
  const missing = runs.some(({ offered, arrived }) => arrived < offered);
  const disturbed = runs.filter(({ others = 0 }) => others > DISTURBED).length * 2 > runs.length;
  return `${missing ? "~" : ""}${disturbed ? "*" : ""}`;
}

function withRange(spread: Spread | undefined, digits: number): string {
  if (spread === undefined) return "-";
  const [lowest, median, highest] = [spread.lowest, spread.median, spread.highest].map((value) =>
    value.toFixed(digits),
  );
  return lowest === highest ? `${median}` : `${median} (${lowest}-${highest})`;
}
