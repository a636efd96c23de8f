// The report of this benchmark: a table for each number of sessions, medians with their lowest and highest.
// Called by main.ts.
import { loadavg } from "node:os";
import type { Machine } from "../mta/machine.ts";
import { ratiosInRounds, type Spread, spreadOf } from "../mta/statistics.ts";
import { renderTable } from "../mta/table.ts";
import { CONTESTANTS, EVERYTHING, PLAIN } from "./contestants.ts";
import type { AuthenticationRun } from "./rounds.ts";

/** Of the event loop, with 50 sessions: beyond it, everybody's mail waits for somebody's. */
const MOST_DELAY_MS = 20;
const DELAY_SESSIONS = 50;

export interface Report {
  readonly machine: Machine;
  readonly threads: number;
  readonly rounds: number;
  readonly seconds: number;
  readonly runs: readonly AuthenticationRun[];
}

export function renderAuthentication(report: Report): string {
  const { machine, threads, rounds, seconds, runs } = report;
  const sessions = [...new Set(runs.map((run) => run.sessions))];
  const head = [
    `${machine.processor}, ${machine.cores} cores; Linux ${machine.kernel}, Node ${machine.node}`,
    `load average ${machine.loadAverage.toFixed(1)} before, ${(loadavg()[0] ?? 0).toFixed(1)} after; others used ${othersOf(runs)}`,
    `${rounds} rounds in turn, of ${seconds} s; ${threads} threads check and seal; medians (lowest-highest)`,
    "generator and sink run on the same cores",
  ];
  return [
    `${head.join("\n")}\n`,
    ...sessions.map((count) => `\n${count} ${count === 1 ? "session" : "sessions"}\n${tableOf(runs, count)}`),
    verdict(runs),
  ].join("");
}

const COLUMNS = [
  "",
  "msg/s",
  "x",
  "CPU ms/msg",
  "x",
  "main thread",
  "loop p50",
  "p99",
  "max ms",
  "load's CPU",
];

function tableOf(all: readonly AuthenticationRun[], sessions: number): string {
  const runs = all.filter((run) => run.sessions === sessions);
  const names = CONTESTANTS.map(({ name }) => name).filter((name) =>
    runs.some((run) => run.contestant === name),
  );
  const base = runs.filter(({ contestant }) => contestant === PLAIN);
  const rows = names.map((name) => {
    const own = runs.filter(({ contestant }) => contestant === name);
    const times = (value: Value): string =>
      spread(ratiosInRounds(inRounds(own, value), inRounds(base, value)), 2);
    const of = (value: Value, digits: number): string => spread(spreadOf(own.map(value)), digits);
    return [
      name,
      ...[of(rate, 0), times(rate), of(cpu, 2), times(cpu), of(mainThread, 2)],
      ...[of(p50, 1), of(p99, 1), of(longest, 0), of(loadCpu, 2)],
    ];
  });
  return renderTable([COLUMNS, ...rows]);
}

type Value = (run: AuthenticationRun) => number;
const rate: Value = ({ run }) => run.perSecond;
const cpu: Value = ({ run, measured }) => (measured.cpuSeconds / run.offered) * 1000;
const mainThread: Value = ({ run, measured }) => (measured.mainThreadCpuSeconds / run.offered) * 1000;
const p50: Value = ({ measured }) => measured.delay.p50;
const p99: Value = ({ measured }) => measured.delay.p99;
const longest: Value = ({ measured }) => measured.delay.max;
/** CPU seconds for 1,000 messages are milliseconds for one. */
const loadCpu: Value = ({ run }) => run.loadCpuPer1000;

function inRounds(runs: readonly AuthenticationRun[], value: Value) {
  return runs.map((run) => ({ round: run.round, value: value(run) }));
}

function verdict(runs: readonly AuthenticationRun[]): string {
  const own = runs.filter(
    ({ contestant, sessions }) => contestant === EVERYTHING && sessions === DELAY_SESSIONS,
  );
  const found = spreadOf(own.map(p99));
  if (!found) return "";
  const word = found.median < MOST_DELAY_MS ? "met" : "MISSED";
  return `\nevent loop, ${EVERYTHING}, ${DELAY_SESSIONS} sessions: p99 ${spread(found, 1)} ms; under ${MOST_DELAY_MS} ms: ${word}\n`;
}

function othersOf(runs: readonly AuthenticationRun[]): string {
  const found = spreadOf(runs.flatMap(({ run }) => (run.others === undefined ? [] : [run.others])));
  return found ? `${spread(found, 2)} of a core` : "what cannot be told without control groups";
}

function spread(found: Spread | undefined, digits: number): string {
  if (!found) return "-";
  const [lowest, median, highest] = [found.lowest, found.median, found.highest].map((one) =>
    one.toFixed(digits),
  );
  return `${median} (${lowest}-${highest})`;
}
