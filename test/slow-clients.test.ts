// Slow clients: many of them send single octets, in the greeting, in a command and in a message, each from an address of
// its own. Good sessions beside them are all served, and the slow ones are cut. HOMING_SLOW_CLIENTS=1000 for the long form.
import assert from "node:assert/strict";
import { test } from "node:test";
import { dialFrom, type Recorder, startRecorder } from "../packages/forwarder/src/testing/recorder.ts";
import { transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";

const SLOW = Number(process.env.HOMING_SLOW_CLIENTS ?? 200);
const GOOD = 20;
const DRIP_MS = 500;
/** As long as under stress by default; the short form has no time for it. */
const STRESS_SECONDS = SLOW >= 1000 ? 10 : 2;

/** How far a slow client goes before it drips, by turns. */
const BEGINNINGS: readonly (readonly string[])[] = [
  [],
  ["EHLO slow.test", "MAIL FROM:<a@b.test>"],
  ["EHLO slow.test", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"],
];

async function slowClient(server: Recorder, index: number): Promise<Wire> {
  const address = `127.${1 + (index >> 14)}.${(index >> 7) & 127}.${1 + (index & 127)}`;
  const client = await dialFrom(address, server);
  assert.match(await client.reply(), /^220 /);
  for (const command of BEGINNINGS[index % BEGINNINGS.length] ?? []) {
    assert.match(await client.ask(command), /^[23]/);
  }
  const timer = setInterval(() => client.socket.writable && client.send("x"), DRIP_MS);
  client.socket.on("close", () => clearInterval(timer));
  return client;
}

test(`${SLOW} dripping clients are cut until the stress is over, and none of the good sessions beside them is refused`, async (t) => {
  const maxClients = Math.ceil((SLOW + GOOD) * 1.1);
  const server = await startRecorder(t, {}, { maxClients, limits: { stressSeconds: STRESS_SECONDS } });
  using slow = new DisposableStack();
  for (let index = 0; index < SLOW; index++) slow.use(await slowClient(server, index));
  assert.equal(server.counts().clients, SLOW);
  const memory = process.memoryUsage().rss;

  const times: number[] = [];
  const session = async (index: number): Promise<void> => {
    // At least one session each, then until the last slow client is gone.
    do {
      const begin = performance.now();
      using client = await dialFrom(`127.0.1.${1 + index}`, server);
      assert.match(await client.reply(), /^220 /);
      const message = `Subject: good\r\n\r\n${"x".repeat(70)}\r\n`;
      assert.match(await transact(client, { from: "a@b.test", to: "c@d.test", message }), /^250 /);
      assert.match(await client.ask("QUIT"), /^221 /);
      times.push(performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 50));
    } while (server.counts().tooSlow < stressed());
  };
  /** Stress ends when a fifth of the places is free; the others have the long deadline. */
  const stressed = (): number => SLOW + GOOD - Math.floor(maxClients * 0.8);
  await Promise.all(Array.from({ length: GOOD }, (_, index) => session(index)));

  assert.equal(server.messages.length, times.length);
  assert.equal(server.counts().turnedAway, 0);
  assert.deepEqual(server.failures, []);
  times.sort((a, b) => a - b);
  const p95 = times[Math.floor(times.length * 0.95)] ?? Number.NaN;
  const grown = (process.memoryUsage().rss - memory) >> 20;
  t.diagnostic(`${times.length} good sessions, p95 ${p95.toFixed(0)} ms, memory grew by ${grown} MiB`);
});
