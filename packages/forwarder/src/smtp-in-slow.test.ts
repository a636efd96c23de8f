// Deadlines: who may keep a connection, and for how long. With limits of a fraction of a second.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startRecorder } from "./testing/recorder.ts";
import { hello, stuffed } from "./testing/smtp-peers.ts";
import { dial, type Wire } from "./testing/wire.ts";

const TOO_SLOW = /421 4\.4\.2 timeout: too slow\r\n$/;
const SHORT = { commandSeconds: 0.5, stressSeconds: 0.5 };

/** Sends single octets for ever. */
function drip(client: Wire, octet: string): Disposable {
  const timer = setInterval(() => client.socket.writable && client.send(octet), 20);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

test("a client that says nothing after the greeting is sent away", async (t) => {
  const server = await startRecorder(t, {}, { limits: SHORT });
  using client = await dial(server);
  assert.match(await client.rest(), TOO_SLOW);
  assert.equal(server.counts().tooSlow, 1);
});

test("single octets of a command do not help", async (t) => {
  using client = await hello(await startRecorder(t, {}, { limits: SHORT }));
  using _ = drip(client, "x");
  assert.match(await client.rest(), TOO_SLOW);
});

test("whole commands do", async (t) => {
  using client = await hello(await startRecorder(t, {}, { limits: { ...SHORT, commandSeconds: 1 } }));
  for (let count = 0; count < 8; count++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal(await client.ask("NOOP"), "250 2.0.0 OK");
  }
});

test("a message below the mean rate ends the session, and its octets are given back", async (t) => {
  const limits = { ...SHORT, dataOctetsPerSecond: 500 };
  const server = await startRecorder(t, {}, { limits });
  using client = await hello(server);
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) await client.ask(command);
  {
    using _ = drip(client, "x");
    assert.match(await client.rest(), TOO_SLOW);
  }
  client.socket.destroy();
  while (server.counts().bufferedOctets > 0) await new Promise((resolve) => setTimeout(resolve, 10));
  assert.equal(server.messages.length, 0);
});

test("a message above the mean rate takes as long as it takes", async (t) => {
  const limits = { ...SHORT, dataOctetsPerSecond: 500 };
  const server = await startRecorder(t, {}, { limits });
  using client = await hello(server);
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) await client.ask(command);
  for (let count = 0; count < 10; count++) {
    client.send(`${"x".repeat(198)}\r\n`);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  client.send(stuffed("end\r\n"));
  assert.match(await client.reply(), /^250 /);
});

test("a client waits for the handler without end", async (t) => {
  const slow = async () => {
    await new Promise((resolve) => setTimeout(resolve, 1200));
    return { code: 250, enhanced: "2.0.0", text: "at last" };
  };
  using client = await hello(await startRecorder(t, { mail: slow, data: slow }, { limits: SHORT }));
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) {
    assert.match(await client.ask(command), /^[23]/);
  }
  client.send(stuffed("x\r\n"));
  assert.equal(await client.reply(), "250 2.0.0 at last");
});

test("a client that does not read its replies is sent away like one that says nothing", async (t) => {
  const server = await startRecorder(t, {}, { limits: { ...SHORT, junkCommands: 1e9 } });
  using client = await hello(server);
  client.socket.pause();
  const write = (): void => {
    while (client.socket.writable && client.socket.write("NOOP\r\n".repeat(1000)));
  };
  client.socket.on("drain", write);
  write();
  while (server.counts().tooSlow === 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

test("under stress the deadlines are short: above 80 % of all connections", async (t) => {
  const limits = { commandSeconds: 600, stressSeconds: 0.5 };
  const server = await startRecorder(t, {}, { maxClients: 5, limits });
  using clients = new DisposableStack();
  for (let count = 0; count < 4; count++) clients.use(await hello(server));
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(server.counts().tooSlow, 0, "80 % is no stress");
  using fifth = await hello(server);
  while (server.counts().tooSlow === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.match(await fifth.ask("NOOP"), /^250 /);
});
