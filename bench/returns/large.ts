// One bounce that returns a whole large message, and what it costs the running Homing: memory at its highest, CPU time.
// Called by main.ts.
import { connect, type Socket } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";
import { waitFor } from "../../test/harness/wait.ts";
import { bounceAround } from "../mta/bounces/bounce-message.ts";
import type { Pair } from "../mta/bounces/srs-addresses.ts";
import { peakOctets, resetPeak, residentOctets } from "../mta/process-table.ts";
import type { Track } from "../mta/throughput.ts";

const MEGABYTE = 1e6;
const LINE = `${"An octet of a picture, in base64. ".repeat(2)}12345678\r\n`;
const CHUNK = LINE.repeat(Math.floor(65_536 / LINE.length));
const ARRIVAL_SECONDS = 60;
const AFTERMATH_MS = 300;

export interface LargeRun {
  readonly megabytes: number;
  readonly reply: string;
  /** From the first octet to the reply. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Resident before, and at the highest until something is at the sink. */
  readonly beforeMB: number;
  readonly peakMB: number;
}

export async function measureLarge(track: Track, pair: Pair, megabytes: number): Promise<LargeRun> {
  const { peer, sink } = track;
  const pid = largestOf(peer.account.pids());
  const [arrived, cpu] = [sink.count(), peer.account.cpuSeconds()];
  const beforeMB = residentOctets(pid) / MEGABYTE;
  resetPeak(pid);
  const { reply, seconds } = await send(peer.port, pair, megabytes * MEGABYTE);
  if (reply.startsWith("250")) {
    await waitFor(() => sink.count() > arrived || undefined, {
      seconds: ARRIVAL_SECONDS,
      otherwise: () => `nothing came of a bounce of ${megabytes} MB: ${reply}`,
    });
  }
  await pause(AFTERMATH_MS);
  const peakMB = peakOctets(pid) / MEGABYTE;
  return { megabytes, reply, seconds, cpuSeconds: peer.account.cpuSeconds() - cpu, beforeMB, peakMB };
}

/** A shell that holds the namespace is beside it. */
function largestOf(pids: readonly number[]): number {
  const [largest] = pids.toSorted((one, other) => residentOctets(other) - residentOctets(one));
  if (largest === undefined) throw new Error("the peer has no process any more");
  return largest;
}

async function send(port: number, pair: Pair, octets: number): Promise<Pick<LargeRun, "reply" | "seconds">> {
  const socket = connect(port, "127.0.0.1");
  using wire = new Wire(socket);
  await wire.reply();
  for (const command of ["EHLO client.example", "MAIL FROM:<>", `RCPT TO:<${pair.srsAddress}>`, "DATA"]) {
    const reply = await wire.ask(command);
    if (!/^[23]/.test(reply)) return { reply, seconds: 0 };
  }
  const { head, tail } = bounceAround({ ...pair, id: `large-${octets}` });
  const start = performance.now();
  await write(socket, head);
  for (let sent = 0; sent < octets; sent += CHUNK.length) await write(socket, CHUNK);
  await write(socket, `${tail}.\r\n`);
  return { reply: await wire.reply(), seconds: (performance.now() - start) / 1000 };
}

/** A server that does not read on makes this wait, and one that closes makes it go on: its reply tells why. */
function write(socket: Socket, text: string): Promise<void> {
  return new Promise((resolve) => socket.write(text, "latin1", () => resolve()));
}
