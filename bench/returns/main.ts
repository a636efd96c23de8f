// `npm run bench:returns`: bounces to SRS addresses, at Homing and at Postfix + PostSRSd, as private instances on loopback in
// one run. How it measures: docs/benchmarks.md, as bench:mta does.
import { writeFileSync } from "node:fs";
import process from "node:process";
import { storiesNeed } from "../../test/harness/availability.ts";
import { createAccount } from "../mta/account.ts";
import { type Addresses, createAddresses, offerBounces } from "../mta/bounces/offer.ts";
import { RETURN_ALIASES } from "../mta/bounces/srs-addresses.ts";
import type { Sessions } from "../mta/cells.ts";
import { makeRunFolder } from "../mta/folder.ts";
import { startHomingPeer } from "../mta/homing-peer.ts";
import { type LineUp, lineUp, type Runner, type Starts, stopTrack } from "../mta/line-up.ts";
import { thisMachine } from "../mta/machine.ts";
import { BASE, type PeerName, type Place } from "../mta/peer.ts";
import { startPostfixPeer } from "../mta/postfix-peer.ts";
import type { CellRun } from "../mta/results.ts";
import { runCell } from "../mta/rounds.ts";
import { startTimingSink } from "../mta/timing-sink.ts";
import { returnsCellName } from "./cells.ts";
import { type LargeRun, measureLarge } from "./large.ts";
import { parseReturnsOptions, type ReturnsOptions } from "./options.ts";
import { type ReturnsResults, renderReturns } from "./report.ts";

/** Reports of Homing's own need its queue. */
const HOMING: PeerName = "homing-durable";
const PEERS: readonly PeerName[] = [BASE, HOMING];

/** The most that can be set: the large bounce must fit. */
const MESSAGE_OCTETS = 268_435_456;

/** bench/mta/main.ts says why both. */
const WARM_UP: readonly Sessions[] = [
  { connection: "one", sessions: 50 },
  { connection: "many", sessions: 10 },
];
/** Before the large one, to compare with. */
const SMALLER_PART = 0.1;

async function main(): Promise<number> {
  const parsed = parseReturnsOptions(process.argv.slice(2));
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
  process.stdout.write(renderReturns(results));
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);
  return 0;
}

async function measure(options: ReturnsOptions, folder: string): Promise<ReturnsResults> {
  const machine = thisMachine(folder);
  await using timingSink = await startTimingSink();
  using load = createAccount("load");
  const addresses = createAddresses(folder);
  const offers = WARM_UP.map((cell) => offerBounces(addresses, cell));
  const warmUp = { offers, messages: options.warmUpBounces };
  const ground = { folder, load, timingSink, progress, starts: startsWith(options), warmUp };
  const started = await lineUp(PEERS, ground);
  try {
    const [missing] = started.leftOut;
    if (missing)
      throw new Error(`${missing.peer} is missing, and nothing can be compared: ${missing.reason}`);
    const runs = await runCells(started, addresses, options);
    const large = await runLarge(started, addresses, options.largeMegabytes);
    const { rounds, seconds } = options;
    const { runners, leftOut } = started;
    const of = <T>(value: (runner: Runner) => T) =>
      Object.fromEntries(runners.map((runner) => [runner.peer.name, value(runner)]));
    const [versions, waysHome] = [of(({ peer }) => peer.version), of(({ bounces }) => bounces)];
    const peers = runners.map(({ peer }) => peer.name);
    const facts = { machine, method: load.method, rounds, seconds, peers, versions, leftOut, waysHome };
    const { dkim = "none" } = options;
    return { ...facts, dkim, runs, latencies: [], large };
  } finally {
    for (const runner of started.runners) await stopTrack(runner);
  }
}

function startsWith({ dkim }: ReturnsOptions): Starts {
  const extras = { aliases: RETURN_ALIASES, messageOctets: MESSAGE_OCTETS, ...(dkim && { dkim }) };
  return { [BASE]: startPostfixPeer, [HOMING]: (place: Place) => startHomingPeer("durable", place, extras) };
}

async function runCells(
  { runners }: LineUp,
  addresses: Addresses,
  options: ReturnsOptions,
): Promise<CellRun[]> {
  const runs: CellRun[] = [];
  for (const cell of options.cells) {
    const { sessions } = cell;
    const offer = offerBounces(addresses, cell);
    const measurement = { name: returnsCellName(cell), sessions, firstGuess: 1, offer };
    runs.push(...(await runCell(measurement, runners, { ...options, progress })));
  }
  return runs;
}

async function runLarge({ runners }: LineUp, addresses: Addresses, megabytes: number): Promise<LargeRun[]> {
  const runner = runners.find(({ peer }) => peer.name === HOMING);
  if (runner === undefined) return [];
  const runs: LargeRun[] = [];
  for (const size of [megabytes * SMALLER_PART, megabytes]) {
    const [pair] = addresses.of(HOMING).take(1);
    if (pair !== undefined) runs.push(await measureLarge(runner, pair, size));
    progress(`a bounce of ${size} MB`);
  }
  return runs;
}

function progress(line: string): void {
  process.stderr.write(`${line}\n`);
}

// The handlers of "exit" end what runs and remove the folder.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(130));

process.exitCode = await main().catch((error: Error) => {
  process.stderr.write(`bench:returns: ${error.message}\n`);
  return 1;
});
