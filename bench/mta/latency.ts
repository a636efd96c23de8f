// Light load: 20 messages a second, each on a connection of its own, timed to the reply and to the sink.
// Called by main.ts.
import { setTimeout as pause } from "node:timers/promises";
import { SENDER, TIMED_ALIAS } from "./addresses.ts";
import { type Memory, watchMemory } from "./memory.ts";
import { watchOthers } from "./others.ts";
import type { Peer } from "./peer.ts";
import { plainMessage, type Sent, sendOne } from "./send-one.ts";
import { quantile } from "./statistics.ts";
import type { TimingSink } from "./timing-sink.ts";

const PER_SECOND = 20;
const OCTETS = 4000;
const ARRIVAL_MS = 8000;
const POLL_MS = 20;
const AFTERMATH_MS = 300;

export interface Percentiles {
  readonly p50: number;
  readonly p99: number;
}

export interface LatencyRun extends Memory {
  readonly offered: number;
  readonly arrived: number;
  /** Milliseconds from the final dot to the 250, and to the last octet at the sink. */
  readonly reply: Percentiles;
  readonly sink: Percentiles;
  readonly cpuPer1000: number;
  readonly others: number | undefined;
}

/** @param id distinguishes this run's messages from those of all others */
export async function measureLatency(
  peer: Peer,
  sink: TimingSink,
  { id, seconds }: { readonly id: string; readonly seconds: number },
): Promise<LatencyRun> {
  const ids = Array.from({ length: Math.round(PER_SECOND * seconds) }, (_, index) => `${id}-${index}`);
  using memory = watchMemory(peer.account);
  const others = watchOthers([peer.account]);
  const cpu = peer.account.cpuSeconds();
  const sent = await offer(peer.port, ids);
  await arrivalOfAll(sink, ids);
  const used = memory.end();
  await pause(AFTERMATH_MS);
  const cpuSeconds = peer.account.cpuSeconds() - cpu;
  const taken = [...sent].filter(([, { reply }]) => reply.startsWith("250"));
  const toSink = taken.flatMap(([one, { dotAt }]) => {
    const arrival = sink.arrivals.get(one);
    return arrival === undefined ? [] : [arrival.at - dotAt];
  });
  return {
    offered: ids.length,
    arrived: toSink.length,
    reply: percentiles(taken.map(([, { dotAt, repliedAt }]) => repliedAt - dotAt)),
    sink: percentiles(toSink),
    cpuPer1000: (cpuSeconds / Math.max(toSink.length, 1)) * 1000,
    others: others.end(),
    ...used,
  };
}

/** Each at its time, whether or not those before are done: a slow server must not slow the clock down. */
async function offer(port: number, ids: readonly string[]): Promise<Map<string, Sent>> {
  const sent = new Map<string, Sent>();
  const start = performance.now();
  const all = ids.map(async (id, index) => {
    await pause(Math.max(0, start + (index * 1000) / PER_SECOND - performance.now()));
    const envelope = { from: SENDER, to: TIMED_ALIAS.address };
    const message = plainMessage({ ...envelope, id }, OCTETS);
    sent.set(id, await sendOne(port, { ...envelope, message }).catch(failed));
  });
  await Promise.all(all);
  return sent;
}

function failed(error: Error): Sent {
  return { reply: error.message, dotAt: 0, repliedAt: 0 };
}

async function arrivalOfAll(sink: TimingSink, ids: readonly string[]): Promise<void> {
  const end = performance.now() + ARRIVAL_MS;
  while (performance.now() < end && !ids.every((id) => sink.arrivals.has(id))) await pause(POLL_MS);
}

function percentiles(milliseconds: readonly number[]): Percentiles {
  return { p50: quantile(milliseconds, 0.5), p99: quantile(milliseconds, 0.99) };
}
