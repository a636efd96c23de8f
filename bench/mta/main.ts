// `npm run bench:mta`: Homing beside Postfix + PostSRSd and Haraka, all as private instances on loopback, in one run.
// What is measured, how, and what the columns mean: docs/benchmarks.md.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { storiesNeed } from "../../test/harness/availability.ts";
import { createAccount } from "./account.ts";
import { CELLS, type Cell, cellName, LATENCY } from "./cells.ts";
import { makeRunFolder } from "./folder.ts";
import { startHarakaPeer } from "./haraka-peer.ts";
import { startHomingPeer } from "./homing-peer.ts";
import { lineUp, type Starts, stopTrack, type WarmUp } from "./line-up.ts";
import { thisMachine } from "./machine.ts";
import { CACHE, type Options, parseOptions } from "./options.ts";
import { startPostfixPeer } from "./postfix-peer.ts";
import { renderReport } from "./report.ts";
import type { CellRun, Results } from "./results.ts";
import { type Measurement, runCell, runLatency } from "./rounds.ts";
import { offerMail } from "./smtp-source.ts";
import { startTimingSink } from "./timing-sink.ts";

const STARTS: Starts = {
  "postfix-postsrsd": startPostfixPeer,
  "homing-durable": (place) => startHomingPeer("durable", place),
  "homing-in-session": (place) => startHomingPeer("in-session", place),
  haraka: (place) => startHarakaPeer(join(CACHE, "haraka"), place),
};

/**
 * Peers written in JavaScript speed up for ten thousand messages and more, and what a connection costs them needs as many
 * connections; ten sessions show the most of a peer.
 */
const WARM_UP: WarmUp["offers"] = [
  offerMail({ size: 4000, connection: "one", sessions: 50 }),
  offerMail({ size: 4000, connection: "many", sessions: 10 }),
];

/** Of 100 KB, against 4 KB at a warm server. */
const LARGE_GUESS = 0.5;

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  if (!parsed.ok) {
    (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.say);
    return parsed.exitCode;
  }
  const { options } = parsed;
  const folder = makeRunFolder(options.folder);
  // The harness puts its instances, and with them Postfix's queue, into the temporary directory.
  process.env.TMPDIR = folder;
  const reason = await storiesNeed("postfix", "postsrsd");
  if (reason !== undefined) throw new Error(`the peers cannot run here: ${reason}`);
  const results = await measure(options, folder);
  process.stdout.write(renderReport(results));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  return 0;
}

async function measure(options: Options, folder: string): Promise<Results> {
  const machine = thisMachine(folder);
  await using timingSink = await startTimingSink();
  using load = createAccount("load");
  const started = await lineUp(options.peers, {
    folder,
    load,
    timingSink,
    progress,
    starts: STARTS,
    warmUp: { offers: WARM_UP, messages: options.warmUpMessages },
  });
  if (started.runners.length === 0) throw new Error("no peer could be started");
  try {
    const { runners } = started;
    const runs: CellRun[] = [];
    for (const cell of CELLS.filter((one) => options.cells.has(cellName(one)))) {
      runs.push(...(await runCell(measurementOf(cell), runners, { ...options, progress })));
    }
    const light = { ...options, seconds: options.latencySeconds, progress };
    const latencies = options.cells.has(LATENCY) ? await runLatency(runners, timingSink, light) : [];
    const { rounds, seconds } = options;
    const peers = runners.map(({ peer }) => peer.name);
    const versions = Object.fromEntries(runners.map(({ peer }) => [peer.name, peer.version]));
    const { leftOut } = started;
    return { machine, method: load.method, rounds, seconds, peers, versions, leftOut, runs, latencies };
  } finally {
    for (const runner of started.runners) await stopTrack(runner);
  }
}

function measurementOf(cell: Cell): Measurement {
  const firstGuess = cell.size === 4000 ? 1 : LARGE_GUESS;
  return { name: cellName(cell), sessions: cell.sessions, firstGuess, offer: offerMail(cell) };
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

// The handlers of "exit" end what runs and remove the folder.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`bench:mta: ${error.message}\n`);
  return 1;
});
