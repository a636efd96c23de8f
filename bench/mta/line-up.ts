// Starts the chosen peers with a counting sink each, verifies them and warms them up.
// Called by main.ts.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { type Account, createAccount } from "./account.ts";
import { CELLS } from "./cells.ts";
import { startCountingSink } from "./counting-sink.ts";
import { startHarakaPeer } from "./haraka-peer.ts";
import { startHomingPeer } from "./homing-peer.ts";
import { CACHE } from "./options.ts";
import type { PeerName, Place, Start } from "./peer.ts";
import { startPostfixPeer } from "./postfix-peer.ts";
import type { LeftOut } from "./results.ts";
import { runOnce, type Track } from "./throughput.ts";
import type { TimingSink } from "./timing-sink.ts";
import { verify } from "./verify.ts";

/** Peers written in JavaScript speed up for some thousands of messages; all of them are given the same. */
const WARM_UP_MESSAGES = 1500;
const WARM_UP_RUNS = 3;
const WARM_UP_SECONDS = 8;
/** Of a run that warms up: ten sessions show the most of a peer. */
const [WARM_UP_CELL = CELLS[0]] = CELLS.filter(({ size, sessions }) => size === 4000 && sessions === 10);

const STARTS: Readonly<Record<PeerName, (place: Place) => Promise<Start>>> = {
  "postfix-postsrsd": startPostfixPeer,
  "homing-durable": (place) => startHomingPeer("durable", place),
  "homing-in-session": (place) => startHomingPeer("in-session", place),
  haraka: (place) => startHarakaPeer(join(CACHE, "haraka"), place),
};

/** A peer that is ready, and its speed when it was warm. */
export type Runner = Track & { readonly warmPerSecond: number };

export interface LineUp {
  readonly runners: readonly Runner[];
  readonly leftOut: readonly LeftOut[];
}

export interface Ground {
  readonly folder: string;
  readonly load: Account;
  readonly timingSink: TimingSink;
  readonly progress: (line: string) => void;
}

export async function lineUp(names: readonly PeerName[], ground: Ground): Promise<LineUp> {
  const runners: Runner[] = [];
  const leftOut: LeftOut[] = [];
  for (const name of names) {
    const outcome = await ready(name, ground).catch((error: Error) => error.message);
    if (typeof outcome === "object") runners.push(outcome);
    else {
      leftOut.push({ peer: name, reason: outcome });
      ground.progress(`${name} is left out: ${outcome}`);
    }
  }
  return { runners, leftOut };
}

/** @returns why it is left out, if it is */
async function ready(name: PeerName, ground: Ground): Promise<Runner | string> {
  const { folder, load, timingSink, progress } = ground;
  const [own, sinkFolder] = [join(folder, name), join(folder, `${name}-sink`)];
  for (const one of [own, sinkFolder]) mkdirSync(one);
  const port = await freePort();
  const sinks = { counting: port, timing: timingSink.port };
  const start = await STARTS[name]({ folder: own, sinks, account: createAccount(name) });
  if (!start.ok) return start.reason;
  const { peer } = start;
  const sink = await startCountingSink(port, sinkFolder, load);
  try {
    const track: Track = { peer, sink, load, srsAddress: await verify(peer, timingSink) };
    const warmPerSecond = await warmUp(track);
    progress(
      `${name}: forwards, unwraps its bounces, and is warm at ${Math.round(warmPerSecond)} messages/s`,
    );
    return { ...track, warmPerSecond };
  } catch (error) {
    await stopTrack({ peer, sink });
    throw error;
  }
}

export async function stopTrack({ peer, sink }: Pick<Track, "peer" | "sink">): Promise<void> {
  await peer.stop();
  await sink.stop();
  peer.account[Symbol.dispose]();
}

async function warmUp(track: Track): Promise<number> {
  let perSecond = 0;
  for (let run = 0; run < WARM_UP_RUNS; run++) {
    const order = { cell: WARM_UP_CELL as (typeof CELLS)[number], messages: WARM_UP_MESSAGES };
    const outcome = await runOnce(track, { ...order, limitSeconds: WARM_UP_SECONDS });
    if (outcome.arrived === 0) throw new Error(`nothing arrived while it warmed up: ${outcome.complaint}`);
    perSecond = outcome.perSecond;
  }
  return perSecond;
}
