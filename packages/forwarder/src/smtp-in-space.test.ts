// Large messages: a file in the state directory, and 452 4.3.1 where its disk is full.
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createBufferBudget } from "./front/budget.ts";
import { startRecorder } from "./testing/recorder.ts";
import { hello, stuffed } from "./testing/smtp-peers.ts";
import type { Wire } from "./testing/wire.ts";

function stateFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "homing-state-"));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const LARGE = `X: y\r\n\r\n${`.${"x".repeat(70)}\r\n`.repeat(20_000)}`;

test("a message above 256 KiB arrives octet for octet, and leaves nothing in the state directory", async (t) => {
  const folder = stateFolder(t);
  const server = await startRecorder(t, {}, { stateFolder: folder, maxMessageOctets: 10_000_000 });
  using client = await hello(server);
  for (const command of ["MAIL FROM:<a@b.test> SIZE=2000000", "RCPT TO:<c@d.test>", "DATA"]) {
    assert.match(await client.ask(command), /^[23]/);
  }
  client.send(stuffed(LARGE));
  assert.match(await client.reply(), /^250 /);
  assert.ok(server.messages[0]?.equals(Buffer.from(LARGE)));
  assert.equal(server.counts().bufferedOctets, 0);
  assert.deepEqual(readdirSync(folder), []);
});

test("MAIL is 452 4.3.1 where SIZE does not fit above the floor, and goes on where it does", async (t) => {
  const folder = stateFolder(t);
  const { bavail, bsize } = statfsSync(folder);
  const minFreeOctets = Math.floor(bavail * bsize * 0.5);
  const server = await startRecorder(t, {}, { stateFolder: folder, maxMessageOctets: 1e15, minFreeOctets });
  using client = await hello(server);
  const tooMuch = Math.ceil(bavail * bsize * 0.75);
  assert.match(await client.ask(`MAIL FROM:<a@b.test> SIZE=${tooMuch}`), /^452 4\.3\.1 /);
  assert.equal(server.mails.length, 0);
  assert.match(await client.ask("MAIL FROM:<a@b.test> SIZE=1000000"), /^250 /);
});

test("below the floor every MAIL is 452 4.3.1", async (t) => {
  const server = await startRecorder(t, {}, { stateFolder: stateFolder(t), minFreeOctets: 1e18 });
  using client = await hello(server);
  assert.match(await client.ask("MAIL FROM:<a@b.test>"), /^452 4\.3\.1 /);
  assert.deepEqual(server.reasons, ["no-disk-space"], "somebody is told");
});

test("a state directory that is gone is 451 4.3.0 for a large message, somebody is told, and small ones pass", async (t) => {
  const server = await startRecorder(t, {}, { stateFolder: "/missing/folder", maxMessageOctets: 10_000_000 });
  using client = await hello(server);
  for (const [message, reply] of [
    [LARGE, /^451 4\.3\.0 /],
    ["small\r\n", /^250 /],
  ] as const) {
    for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) {
      assert.match(await client.ask(command), /^[23]/);
    }
    client.send(stuffed(message));
    assert.match(await client.reply(), reply);
  }
  assert.deepEqual(server.reasons, ["disk-failure"]);
  assert.equal((server.failures[0] as NodeJS.ErrnoException).code, "ENOENT");
  assert.equal(server.counts().bufferedOctets, 0);
});

test("what all messages together may have in memory: beyond it one is 452 4.3.1, and comes in when another has left", async (t) => {
  const server = await startRecorder(t, {}, { resources: { budget: createBufferBudget(100) } });
  const letter = `X: y\r\n\r\n${"x".repeat(50)}\r\n`;
  using first = await hello(server);
  using second = await hello(server);
  const begin = async (client: Wire): Promise<void> => {
    for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"])
      assert.match(await client.ask(command), /^[23]/);
  };
  await begin(first);
  first.send(letter);
  await begin(second);
  while (server.counts().bufferedOctets === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  second.send(stuffed(letter));
  assert.equal(await second.reply(), "452 4.3.1 too much mail at once, try again later");
  assert.deepEqual(server.reasons, ["no-memory"]);
  first.send(stuffed(""));
  assert.match(await first.reply(), /^250 /);
  await begin(second);
  second.send(stuffed(letter));
  assert.match(await second.reply(), /^250 /);
  assert.equal(server.counts().bufferedOctets, 0);
});
