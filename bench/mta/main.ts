// `npm run bench:mta`: Homing beside Postfix + PostSRSd and Haraka, all as private instances on loopback, in one run.
// What is measured, how, and what the columns mean: docs/benchmarks.md.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { storiesNeed } from "../../test/harness/availability.ts";
import { createAccount } from "./account.ts";
import { type Addresses, createAddresses, offerBounces } from "./bounces/offer.ts";
import { RETURN_ALIASES } from "./bounces/srs-addresses.ts";
import { BOUNCE_CELLS, bounceCellName, CELLS, cellName, LATENCY, type Sessions } from "./cells.ts";
import { makeRunFolder } from "./folder.ts";
import { startHarakaPeer } from "./haraka-peer.ts";
import type { Extras } from "./homing-config.ts";
import { startHomingPeer } from "./homing-peer.ts";
import { lineUp, type Runner, type Starts, stopTrack, type WarmUp, warm } from "./line-up.ts";
import { thisMachine } from "./machine.ts";
import { type Options, parseOptions } from "./options.ts";
import { startPostfixPeer } from "./postfix-peer.ts";
import { renderReport } from "./report.ts";
import type { CellRun, MtaResults } from "./results.ts";
import { runCell, runLatency } from "./rounds.ts";
import { offerMail } from "./smtp-source.ts";
import { startTimingSink } from "./timing-sink.ts";

/** Homing asks whose alias it is that a bounce came from; the others only unwrap the address. */
const EXTRAS: Extras = { aliases: RETURN_ALIASES };

const STARTS: Starts = {
  "postfix-postsrsd": startPostfixPeer,
  "homing-durable": (place) => startHomingPeer("durable", place, EXTRAS),
  "homing-in-session": (place) => startHomingPeer("in-session", place, EXTRAS),
  haraka: startHarakaPeer,
};

/**
 * Peers written in JavaScript speed up for ten thousand messages and more, and what a connection costs them needs as many
 * connections; ten sessions show the most of a peer.
 */
const WARM_UP: WarmUp["offers"] = [
  offerMail({ size: 4000, connection: "one", sessions: 50 }),
  offerMail({ size: 4000, connection: "many", sessions: 10 }),
];

/** Connections as in the cells of bounces. */
const BOUNCE_WARM_UP: Sessions = { connection: "one", sessions: 50 };

/** Of 100 KB, against 4 KB at a warm server. */
const LARGE_GUESS = 0.5;

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  if (!parsed.ok) {
    (parsed.exitCode === 0 ? process.stdout : process.stderr).write(parsed.say);
    return parsed.exitCode;
  }
  const { options } = parsed;
  const folder = makeRunFolder(options.folder, options.isMeasured);
  // The harness puts its instances, and with them Postfix's queue, into the temporary directory.
  process.env.TMPDIR = folder;
  const reason = await storiesNeed("postfix", "postsrsd");
  if (reason !== undefined) throw new Error(`the peers cannot run here: ${reason}`);
  const results = await measure(options, folder);
  process.stdout.write(renderReport(results));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  return 0;
}

async function measure(options: Options, folder: string): Promise<MtaResults> {
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
    const { runners, leftOut } = started;
    const mail = await runMail(runners, options);
    const light = { ...options, seconds: options.latencySeconds, progress };
    const latencies = options.cells.has(LATENCY) ? await runLatency(runners, timingSink, light) : [];
    const runs = [...mail, ...(await runBounces(runners, createAddresses(folder), options))];
    const { rounds, seconds, isShort } = options;
    const of = <T>(value: (runner: Runner) => T) =>
      Object.fromEntries(runners.map((runner) => [runner.peer.name, value(runner)]));
    const [versions, waysHome] = [of(({ peer }) => peer.version), of(({ bounces }) => bounces)];
    const peers = runners.map(({ peer }) => peer.name);
    const facts = { machine, method: load.method, rounds, seconds, peers, versions, leftOut, waysHome };
    return { ...facts, isShort, runs, latencies };
  } finally {
    for (const runner of started.runners) await stopTrack(runner);
  }
}

async function runMail(runners: readonly Runner[], options: Options): Promise<CellRun[]> {
  const runs: CellRun[] = [];
  for (const cell of CELLS.filter((one) => options.cells.has(cellName(one)))) {
    const firstGuess = cell.size === 4000 ? 1 : LARGE_GUESS;
    const measurement = { name: cellName(cell), sessions: cell.sessions, firstGuess, offer: offerMail(cell) };
    runs.push(...(await runCell(measurement, runners, { ...options, progress })));
  }
  return runs;
}

/** Mail has warmed nobody up for these: a bounce is read, and what is sent home is composed. */
async function runBounces(
  runners: readonly Runner[],
  addresses: Addresses,
  options: Options,
): Promise<CellRun[]> {
  const cells = BOUNCE_CELLS.filter((one) => options.cells.has(bounceCellName(one)));
  if (cells.length === 0) return [];
  const warmUp = { offers: [offerBounces(addresses, BOUNCE_WARM_UP)], messages: options.warmUpMessages };
  const warmRunners: Runner[] = [];
  for (const runner of runners) {
    // A peer that brings none home loses them in the cells, too, and the report says so: the figures of mail stay.
    const warmPerSecond = await warm(runner, warmUp).catch(({ message }: Error) => {
      progress(`${runner.peer.name}: bounces: ${message}`);
      return runner.warmPerSecond;
    });
    warmRunners.push({ ...runner, warmPerSecond });
  }
  const runs: CellRun[] = [];
  for (const cell of cells) {
    const offer = offerBounces(addresses, cell);
    const measurement = { name: bounceCellName(cell), sessions: cell.sessions, firstGuess: 1, offer };
    runs.push(...(await runCell(measurement, warmRunners, { ...options, progress })));
  }
  return runs;
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
