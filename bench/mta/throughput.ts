// One run of one cell at one peer: smtp-source offers messages, and the time until the last is at the sink counts.
// Called by main.ts, for warming up, for trying out how many messages fill a run, and for the rounds.
import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import type { Account } from "./account.ts";
import { ALIAS, SENDER } from "./addresses.ts";
import type { Cell } from "./cells.ts";
import type { CountingSink } from "./counting-sink.ts";
import { type Memory, watchMemory } from "./memory.ts";
import { watchOthers } from "./others.ts";
import type { Peer } from "./peer.ts";
import { postfixTool } from "./postfix-tools.ts";

const POLL_MS = 5;
/** After the last message is at the sink, a server still removes it from its queue: that is work for it, too. */
const AFTERMATH_MS = 300;

export interface Track {
  readonly peer: Peer;
  readonly sink: CountingSink;
  /** Of generator and sink. */
  readonly load: Account;
  /** The address that SENDER has behind this peer. */
  readonly srsAddress: string;
}

export interface Run extends Memory {
  readonly offered: number;
  readonly arrived: number;
  /** From the start of the generator to the last message at the sink. */
  readonly perSecond: number;
  /** From the start of the generator to its end, when it has every reply. */
  readonly acceptedPerSecond: number | undefined;
  readonly cpuPer1000: number;
  /** CPU seconds a second of processes that have no part in this. `undefined`: cannot be told without cgroups. */
  readonly others: number | undefined;
  /** What the generator complained about. */
  readonly complaint: string;
}

export interface Load {
  readonly cell: Cell;
  readonly messages: number;
  readonly limitSeconds: number;
}

export async function runOnce({ peer, sink, load, srsAddress }: Track, order: Load): Promise<Run> {
  const [from, to] = order.cell.kind === "bounce" ? ["", srsAddress] : [SENDER, ALIAS.address];
  using memory = watchMemory(peer.account);
  const others = watchOthers([peer.account, load]);
  const cpu = peer.account.cpuSeconds();
  const before = sink.count();
  const source = await startSource({ peer, load, from, to, ...order });
  const { arrived, deliveredSeconds } = await followSink(source, () => sink.count() - before, order);
  const used = memory.end();
  await pause(AFTERMATH_MS);
  const cpuSeconds = peer.account.cpuSeconds() - cpu;
  return {
    offered: order.messages,
    arrived,
    perSecond: arrived / deliveredSeconds,
    acceptedPerSecond: source.succeeded() ? order.messages / source.seconds() : undefined,
    cpuPer1000: (cpuSeconds / Math.max(arrived, 1)) * 1000,
    others: others.end(),
    complaint: source.complaint(),
    ...used,
  };
}

interface Source {
  readonly startedAt: number;
  ended(): boolean;
  succeeded(): boolean;
  /** That it took to its end. */
  seconds(): number;
  complaint(): string;
  kill(): void;
}

interface Offer extends Load {
  readonly peer: Peer;
  readonly load: Account;
  readonly from: string;
  readonly to: string;
}

async function startSource({ peer, load, from, to, cell, messages }: Offer): Promise<Source> {
  const { program, env } = await postfixTool("smtp-source");
  const connection = cell.connection === "many" ? ["-d"] : [];
  const amounts = ["-s", cell.sessions, "-m", messages, "-l", cell.size].map(String);
  const envelope = ["-f", from, "-t", to];
  const argv = [program, ...connection, ...amounts, ...envelope, `127.0.0.1:${peer.port}`];
  const [file = "", ...args] = ["setpriv", "--pdeathsig", "KILL", ...load.command(argv)];
  const startedAt = performance.now();
  const child: ChildProcess = spawn(file, args, { env, stdio: ["ignore", "ignore", "pipe"] });
  let endedAt: number | undefined;
  let said = "";
  child.stderr?.on("data", (part: Buffer) => (said = `${said}${part}`.slice(-500)));
  child.once("exit", () => (endedAt = performance.now()));
  return {
    startedAt,
    ended: () => endedAt !== undefined,
    succeeded: () => child.exitCode === 0,
    seconds: () => ((endedAt ?? performance.now()) - startedAt) / 1000,
    complaint: () => said.trim(),
    kill: () => void child.kill("SIGKILL"),
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
