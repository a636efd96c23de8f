// One connection: the order of answers, half-closed clients, clients that do not read, faults, and requests that never end.
import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { heard, lineProtocol, listenForLines, rest } from "../testing/line-protocol.ts";
import { serveConnection } from "./connection.ts";

test("requests of one packet are answered in one packet, in their order", async (t) => {
  const { dial } = await listenForLines(t);
  const client = await dial();
  client.write("one\ntwo\nthree\n");
  assert.equal(await heard(client), "one\ntwo\nthree\n");
});

test("a request may come an octet at a time", async (t) => {
  const { dial } = await listenForLines(t);
  const client = await dial();
  for (const octet of "hello\n") {
    client.write(octet);
    await pause(1);
  }
  assert.equal(await heard(client), "hello\n");
});

test("an answer that takes time keeps its place, and does not hold back those before it", async (t) => {
  const slow = Promise.withResolvers<string>();
  const { dial } = await listenForLines(t, {
    answer: (line) => (line === "slow" ? slow.promise : `${line}\n`),
  });
  const client = await dial();
  client.write("one\nslow\nthree\n");
  assert.equal(await heard(client), "one\n");
  slow.resolve("at last\n");
  assert.equal(await heard(client), "at last\nthree\n");
});

test("a client that has closed its half still gets its answers", async (t) => {
  const slow = Promise.withResolvers<string>();
  const { events, dial } = await listenForLines(t, { answer: () => slow.promise });
  const client = await dial();
  client.end("one\n");
  await pause(20);
  slow.resolve("at last\n");
  assert.equal(await rest(client), "at last\n");
  assert.deepEqual(events, []);
});

test("last words are the end: what stands behind is not answered", async (t) => {
  const { events, dial } = await listenForLines(t, {
    answer: (line) => (line === "bye" ? { last: "farewell\n" } : `${line}\n`),
  });
  const client = await dial();
  client.write("one\nbye\nthree\n");
  assert.equal(await rest(client), "one\nfarewell\n");
  assert.deepEqual(events, []);
});

test("octets and text may be mixed", async (t) => {
  const { dial } = await listenForLines(t, {
    answer: (line) => (line === "octets" ? Uint8Array.of(0xff, 0, 10) : "é\n"),
  });
  const client = await dial();
  client.end("octets\ntext\n");
  assert.equal(await rest(client), "\xff\0\n\xc3\xa9\n");
});

for (const [what, sent] of [
  ["a bad request", "bad\n"],
  ["a request that is too long", "x".repeat(2000)],
  ["a request that never ends", "x".repeat(10_000_000)],
] as const) {
  test(`${what} closes the connection with one line in the log, and no other one`, async (t) => {
    const { events, dial } = await listenForLines(t);
    const beside = await dial();
    const client = await dial();
    const peer = `127.0.0.1:${client.localPort}`;
    client.write(sent);
    client.write("more\nbad\n");
    assert.equal(await rest(client), "");
    assert.equal(events.length, 1);
    const [event] = events;
    assert.ok(event?.event === "adapter-fault");
    assert.deepEqual([event.adapter, event.peer], ["socketmap", peer]);
    assert.match(event.fault, /^a line is (bad|too long)$/);
    beside.write("hello\n");
    assert.equal(await heard(beside), "hello\n");
  });
}

test("a bug in an answer closes that connection alone, and is told with its place", async (t) => {
  const { events, dial } = await listenForLines(t, {
    // Node's own errors have a code, as those of sockets do.
    answer: (line) => (line === "bug" ? `${Buffer.from(undefined as never)}` : `${line}\n`),
  });
  const client = await dial();
  client.write("bug\n");
  assert.equal(await rest(client), "");
  const [event] = events;
  assert.ok(event?.event === "error" && events.length === 1);
  assert.match(event.message, /TypeError.*\n +at /);
});

test("a client that resets the connection is no news", async (t) => {
  const { events, dial } = await listenForLines(t);
  const client = await dial();
  client.write("hel");
  client.resetAndDestroy();
  await once(client, "close");
  const next = await dial();
  next.write("hello\n");
  assert.equal(await heard(next), "hello\n");
  assert.deepEqual(events, []);
});

test("an answer to who is gone is told to nobody, and is no error", async (t) => {
  const asked = Promise.withResolvers<void>();
  const slow = Promise.withResolvers<string>();
  const { events, dial } = await listenForLines(t, {
    answer() {
      asked.resolve();
      return slow.promise;
    },
  });
  const client = await dial();
  client.write("hello\n");
  await asked.promise;
  client.resetAndDestroy();
  await pause(20);
  slow.resolve("at last\n");
  await pause(5);
  assert.deepEqual(events, []);
});

for (const [how, pieces] of [
  ["in one piece", ["one\ntwo\nbad\nthree\n"]],
  ["in two", ["one\ntwo\n", "bad\nthree\n"]],
  ["octet by octet", [..."one\ntwo\nbad\n"]],
] as const)
  test(`what was asked before a fault is answered, and nothing behind it, ${how}`, async (t) => {
    const { events, dial } = await listenForLines(t, { answer: async (line) => `${line}!\n` });
    const client = await dial();
    for (const piece of pieces) {
      client.write(piece);
      await pause(1);
    }
    assert.equal(await rest(client), "one!\ntwo!\n");
    assert.deepEqual(
      events.map(({ event }) => event),
      ["adapter-fault"],
    );
  });

test("what was asked before a bug is answered", async (t) => {
  const { dial } = await listenForLines(t, {
    answer(line) {
      if (line === "bug") throw new Error("a bug");
      return `${line}!\n`;
    },
  });
  const client = await dial();
  client.write("one\nbug\ntwo\n");
  assert.equal(await rest(client), "one!\n");
});

test("a client that ends in the middle of a request is told in the log", async (t) => {
  const { events, dial } = await listenForLines(t);
  const client = await dial();
  client.end("one\ntw");
  assert.equal(await rest(client), "one\n");
  const [event] = events;
  assert.ok(event?.event === "adapter-fault" && events.length === 1);
  assert.equal(event.fault, "the client ended in the middle of a request");
});

test("a client that asks and never reads is not read from any longer", async (t) => {
  const answer = `${"x".repeat(10_000)}\n`;
  let answered = 0;
  const { dial } = await listenForLines(t, {
    answer() {
      answered++;
      return answer;
    },
  });
  const client = await dial();
  client.pause();
  // Some 200 GB of answers, if anybody gave them.
  const question = "?\n".repeat(32_768);
  let isFull = false;
  for (let sent = 0; sent < 300 && !isFull; sent++) {
    const isThrough = client.write(question) || Promise.race([once(client, "drain"), pause(300, "full")]);
    isFull = (await isThrough) === "full";
  }
  assert.ok(isFull, "the listener went on reading");
  const most = answered;
  // One chunk of requests, and what the sockets hold of answers.
  assert.ok(most * answer.length < 1_000_000_000, `${most} answers`);
  await pause(50);
  assert.equal(answered, most);
});

test("a silent connection is closed after the time of its protocol, without a word", async (t) => {
  const { events, dial } = await listenForLines(t, { idleSeconds: 0.05 });
  assert.equal(await rest(await dial()), "");
  assert.deepEqual(events, []);
});

test("a request that stands still is a fault, also where its silence is noticed a millisecond before its time", async (t) => {
  const faults: string[] = [];
  const [socket, client] = await socketPair(t);
  const onChunk = (): void => void setImmediate(() => socket.emit("timeout"));
  serveConnection({
    socket,
    protocol: lineProtocol({ onChunk }),
    onFault: (fault) => faults.push(fault),
    onError: assert.ifError,
  });
  client.write("begun");
  assert.equal(await rest(client), "");
  assert.deepEqual(faults, ["a request was not whole after 30 s"]);
});

async function socketPair(t: TestContext): Promise<readonly [Socket, Socket]> {
  const server = createServer({ allowHalfOpen: true }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  const accepted = once(server, "connection");
  const client = connect((server.address() as AddressInfo).port, "127.0.0.1");
  t.after(() => client.destroy());
  return [((await accepted) as [Socket])[0], client];
}

test("a request must be whole 30 s after its first octet, however many more come", async (t) => {
  const { events, client, send } = await clientOfStoppedTime(t);
  await send("whole\nbegun");
  for (let second = 0; second < 29; second++) {
    t.mock.timers.tick(1000);
    await send("x");
  }
  assert.equal(events.length, 0);
  t.mock.timers.tick(1000);
  assert.equal(await rest(client), "whole\n");
  assert.deepEqual(
    events.map((event) => event.event === "adapter-fault" && event.fault),
    ["a request was not whole after 30 s"],
  );
});

test("the 30 s of a request end with it, and those of the next one begin anew", async (t) => {
  const { events, client, send } = await clientOfStoppedTime(t);
  for (let request = 0; request < 3; request++) {
    await send("begun");
    t.mock.timers.tick(20_000);
    await send("\n");
  }
  t.mock.timers.tick(60_000);
  client.end();
  assert.equal(await rest(client), "begun\n".repeat(3));
  assert.deepEqual(events, []);
});

test("while an answer is under way, the 30 s of a request do not run", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const slow = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
  const asked: string[] = [];
  const { events, dial } = await listenForLines(t, {
    answer: (line) => slow[asked.push(line) - 1]?.promise ?? `${line}\n`,
  });
  const client = await dial();
  client.write("one\ntwo\nbegun");
  for (const { resolve } of slow) {
    while (asked.length === 0) await new Promise((done) => setImmediate(done));
    t.mock.timers.tick(29_000);
    resolve("at last\n");
    assert.equal(await heard(client), "at last\n");
  }
  client.end(" three\n");
  assert.equal(await rest(client), "begun three\n");
  assert.deepEqual(events, []);
});

/** What it sends has been read, and answered, when the promise is fulfilled. */
async function clientOfStoppedTime(t: TestContext) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let read = Promise.withResolvers<void>();
  const { events, dial } = await listenForLines(t, { onChunk: () => read.resolve() });
  const client = await dial();
  const send = async (text: string): Promise<void> => {
    client.write(text);
    await read.promise;
    read = Promise.withResolvers();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { events, client, send };
}
