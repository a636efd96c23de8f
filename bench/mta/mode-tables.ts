// The end of the report: both modes of Homing beside the base, cell by cell, with what is promised of each figure.
// Called by report.ts.
import { BOUNCE_NAMES, LATENCY, MAIL_NAMES } from "./cells.ts";
import { lostMessages, type Marked, marks, ratioOf, withRange } from "./figures.ts";
import { BASE, type PeerName } from "./peer.ts";
import { type Bound, LEAST_ROUNDS, PROMISES, type Promises } from "./promises.ts";
import type { CellRun, MtaResults } from "./results.ts";
import { type Spread, spreadOf } from "./statistics.ts";
import { renderTable } from "./table.ts";

interface ModeWords {
  readonly peer: PeerName;
  readonly title: string;
  readonly promises: Promises;
}

const MODES: readonly ModeWords[] = [
  {
    peer: "homing-durable",
    title: "Homing durable: every message is on disk before the 250, as with the other peers",
    promises: PROMISES.durable,
  },
  {
    peer: "homing-in-session",
    title: "Homing in-session: the next hop has taken the message before the 250",
    promises: PROMISES["in-session"],
  },
];

export function renderModes(results: MtaResults): string {
  const reason = whyNothingIsJudged(results);
  const judges = reason === undefined;
  const tables = MODES.filter(({ peer }) => results.peers.includes(peer)).map((mode) => {
    const both = [renderRatios(mode, results, judges), renderOwn(mode, results, judges)];
    return `${mode.title}\n${both.filter(Boolean).join("\n")}`;
  });
  if (judges || tables.length === 0) return tables.join("\n");
  return [`no verdicts: ${reason}\n`, ...tables].join("\n");
}

function whyNothingIsJudged({ rounds, isShort }: MtaResults): string | undefined {
  if (isShort) return "short runs are for trying";
  return rounds < LEAST_ROUNDS ? `medians of at least ${LEAST_ROUNDS} rounds are judged` : undefined;
}

const RATIO_HEAD = ["", "x messages/s", "promised", "x CPU", "promised"];

function renderRatios({ peer, promises }: ModeWords, { runs }: MtaResults, judges: boolean): string {
  const names = [...MAIL_NAMES, ...BOUNCE_NAMES].filter((name) => runs.some(({ cell }) => cell === name));
  if (names.length === 0) return "";
  const rows = names.map((name) => {
    const ofCell = runs.filter(({ cell }) => cell === name);
    const own = ofCell.filter((run) => run.peer === peer);
    const base = ofCell.filter((run) => run.peer === BASE);
    const column = (value: (run: CellRun) => number, bound: Bound | undefined): string[] => {
      // A ratio to a base that lost messages proves nothing.
      const figure = { runs: [...own, ...base], spread: ratioOf({ own, base }, value), digits: 2, bound };
      return words(figure, judges);
    };
    return [
      name,
      ...column((run) => run.perSecond, promises.perSecond[name]),
      ...column((run) => run.cpuPer1000, promises.cpuPer1000[name]),
    ];
  });
  return renderTable([RATIO_HEAD, ...rows]);
}

/** Figures that stand without the base. */
function renderOwn({ peer, promises }: ModeWords, { runs, latencies }: MtaResults, judges: boolean): string {
  const light = latencies.filter((run) => run.peer === peer);
  const p99s = light.map((run) => run.reply.p99);
  const p99 = { runs: light, spread: spreadOf(p99s), digits: 1, bound: promises.replyP99 };
  const memory = Object.entries(promises.rssMB).map(([name, bound]) => {
    const own = runs.filter((run) => run.peer === peer && run.cell === name);
    const figure = { runs: own, spread: spreadOf(own.map((run) => run.rssMB)), digits: 0, bound };
    return [`RSS MB, ${name}`, figure] as const;
  });
  const rows = [[`250 p99 ms, ${LATENCY}`, p99] as const, ...memory]
    .filter(([, figure]) => figure.runs.length > 0)
    .map(([title, figure]) => [title, ...words(figure, judges)]);
  return rows.length === 0 ? "" : renderTable([["", "median", "promised"], ...rows]);
}

interface Figure {
  /** That it was made of. */
  readonly runs: readonly Marked[];
  readonly spread: Spread | undefined;
  readonly digits: number;
  readonly bound: Bound | undefined;
}

/** The figure, and what was promised of it. */
function words(figure: Figure, judges: boolean): [figure: string, promised: string] {
  const { runs, spread, digits, bound } = figure;
  const measured = `${marks(runs)}${withRange(spread, digits)}`;
  if (bound === undefined) return [measured, ""];
  const limit = "least" in bound ? `>= ${bound.least}` : `<= ${bound.most}`;
  const verdict = judges ? verdictOn(figure, bound) : undefined;
  return [measured, verdict === undefined ? limit : `${limit}: ${verdict}`];
}

/** `undefined`: there is nothing to judge, as without the base. */
function verdictOn({ runs, spread }: Figure, bound: Bound): "met" | "MISSED" | undefined {
  if (lostMessages(runs)) return "MISSED";
  if (spread === undefined) return undefined;
  const isMet = "least" in bound ? spread.median >= bound.least : spread.median <= bound.most;
  return isMet ? "met" : "MISSED";
}
