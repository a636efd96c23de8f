// One run at one peer: a generator offers messages, and the time until the last is at the sink counts.
// Called by line-up.ts for warming up, and by rounds.ts.
import { setTimeout as pause } from "node:timers/promises";
import type { Account } from "./account.ts";
import type { CountingSink } from "./counting-sink.ts";
import { type Memory, watchMemory } from "./memory.ts";
import { watchOthers } from "./others.ts";
import type { Peer } from "./peer.ts";

const POLL_MS = 5;
/** After the last message is at the sink, a server still removes it from its queue: that is work for it, too. */
const AFTERMATH_MS = 300;

export interface Track {
  readonly peer: Peer;
  readonly sink: CountingSink;
  /** Of generator and sink. */
  readonly load: Account;
}

/** A generator at work. */
export interface Source {
  /** `performance.now()` */
  readonly startedAt: number;
  ended(): boolean;
  succeeded(): boolean;
  /** That it took to its end. */
  seconds(): number;
  complaint(): string;
  kill(): void;
}

/** Starts a generator of so many messages. */
export type Offer = (track: Track, messages: number) => Promise<Source>;

export interface Run extends Memory {
  readonly offered: number;
  readonly arrived: number;
  /** From the start of the generator to the last message at the sink. */
  readonly perSecond: number;
  /** From the start of the generator to its end, when it has every reply. */
  readonly acceptedPerSecond: number | undefined;
  readonly cpuPer1000: number;
  /** Of generator and sink: what the peer did not get. */
  readonly loadCpuPer1000: number;
  /** CPU seconds a second of processes that have no part in this. `undefined`: cannot be told without cgroups. */
  readonly others: number | undefined;
  /** What the generator complained about. */
  readonly complaint: string;
}

export interface Load {
  readonly messages: number;
  readonly limitSeconds: number;
}

export async function runOnce(track: Track, order: Load, offer: Offer): Promise<Run> {
  const { peer, sink, load } = track;
  using memory = watchMemory(peer.account);
  const others = watchOthers([peer.account, load]);
  const cpu = [peer.account.cpuSeconds(), load.cpuSeconds()] as const;
  const before = sink.count();
  const source = await offer(track, order.messages);
  const { arrived, deliveredSeconds } = await followSink(source, () => sink.count() - before, order);
  const used = memory.end();
  await pause(AFTERMATH_MS);
  const per1000 = (seconds: number): number => (seconds / Math.max(arrived, 1)) * 1000;
  return {
    offered: order.messages,
    arrived,
    perSecond: arrived / deliveredSeconds,
    acceptedPerSecond: source.succeeded() ? order.messages / source.seconds() : undefined,
    cpuPer1000: per1000(peer.account.cpuSeconds() - cpu[0]),
    loadCpuPer1000: per1000(load.cpuSeconds() - cpu[1]),
    others: others.end(),
    complaint: source.complaint(),
    ...used,
  };
}

interface Delivered {
  readonly arrived: number;
  readonly deliveredSeconds: number;
}

/** Until everything has come, the generator has failed, or the time is up. */
async function followSink(source: Source, count: () => number, order: Load): Promise<Delivered> {
  let arrived = 0;
  let lastAt = source.startedAt + 1;
  const limit = source.startedAt + order.limitSeconds * 1000;
  while (performance.now() < limit) {
    const now = count();
    if (now > arrived) [arrived, lastAt] = [now, performance.now()];
    if (source.ended() && (arrived >= order.messages || !source.succeeded())) break;
    await pause(POLL_MS);
  }
  if (!source.ended()) source.kill();
  return { arrived: Math.min(arrived, order.messages), deliveredSeconds: (lastAt - source.startedAt) / 1000 };
}
