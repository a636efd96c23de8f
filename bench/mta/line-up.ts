// Starts the chosen peers with a counting sink each, verifies them and warms them up.
// Called by main.ts, and by the bench of bounces.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { type Account, createAccount } from "./account.ts";
import { startCountingSink } from "./counting-sink.ts";
import type { PeerName, Place, Start } from "./peer.ts";
import type { LeftOut } from "./results.ts";
import { type Load, type Offer, runOnce, type Track } from "./throughput.ts";
import type { TimingSink } from "./timing-sink.ts";
import { verify, type WayHome } from "./verify.ts";

const WARM_UP_RUNS = 3;
/** What is left of a run that is cut would count in the next one. */
const WARM_UP_SECONDS = 60;

export type Starts = Readonly<Partial<Record<PeerName, (place: Place) => Promise<Start>>>>;

/** What each peer is given before it is measured, each offer three times. */
export interface WarmUp {
  /** The last one says how fast the peer is. */
  readonly offers: readonly Offer[];
  readonly messages: number;
}

/** A peer that is ready. */
export interface Runner extends Track {
  /** Its speed when it was warm. */
  readonly warmPerSecond: number;
  /** What became of the bounce that it was tried with. */
  readonly bounces: WayHome;
}

const WORDS: Readonly<Record<WayHome, string>> = {
  unwrapped: "unwraps its bounces",
  reissued: "re-issues its bounces",
};

export interface LineUp {
  readonly runners: readonly Runner[];
  readonly leftOut: readonly LeftOut[];
}

export interface Ground {
  readonly folder: string;
  readonly load: Account;
  readonly timingSink: TimingSink;
  readonly progress: (line: string) => void;
  readonly starts: Starts;
  readonly warmUp: WarmUp;
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
  const { folder, load, timingSink, progress, starts } = ground;
  const [own, sinkFolder] = [join(folder, name), join(folder, `${name}-sink`)];
  for (const one of [own, sinkFolder]) mkdirSync(one);
  const port = await freePort();
  const sinks = { counting: port, timing: timingSink.port };
  const start = await starts[name]?.({ folder: own, sinks, account: createAccount(name) });
  if (!start?.ok) return start?.reason ?? "nobody starts it";
  const { peer } = start;
  const sink = await startCountingSink(port, sinkFolder, load);
  try {
    const bounces = await verify(peer, timingSink);
    const warmPerSecond = await warm({ peer, sink, load }, ground.warmUp);
    progress(`${name}: forwards, ${WORDS[bounces]}, and is warm at ${Math.round(warmPerSecond)} messages/s`);
    return { peer, sink, load, warmPerSecond, bounces };
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

/** @returns messages a second, when it is warm */
export async function warm(track: Track, { offers, messages }: WarmUp): Promise<number> {
  let perSecond = 0;
  for (const offer of offers.flatMap((offer) => Array<Offer>(WARM_UP_RUNS).fill(offer))) {
    const order: Load = { messages, limitSeconds: WARM_UP_SECONDS };
    const outcome = await runOnce(track, order, offer);
    if (outcome.arrived === 0) throw new Error(`nothing arrived while it warmed up: ${outcome.complaint}`);
    perSecond = outcome.perSecond;
  }
  return perSecond;
}
