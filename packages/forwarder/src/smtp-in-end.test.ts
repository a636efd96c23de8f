// How sessions end: resets at every step, handlers that throw, and the server's own close().
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Reply } from "@homing/mail";
import { type Decisions, type Recorder, startRecorder } from "./testing/recorder.ts";
import { greeted, hello, stuffed } from "./testing/smtp-peers.ts";
import { dial, type Wire, within } from "./testing/wire.ts";

/** A step that the handler takes only when the test lets it. */
function gate(reply: Reply = { code: 250, enhanced: "2.0.0", text: "taken" }) {
  const reached = Promise.withResolvers<void>();
  const open = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: open.resolve,
    async wait() {
      reached.resolve();
      await open.promise;
      return reply;
    },
  };
}

/** Open files of this process below a folder, those without a name too. */
function openIn(folder: string): string[] {
  return readdirSync("/proc/self/fd").flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(folder) ? [path] : [];
    } catch {
      return [];
    }
  });
}

const TO_DATA = ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"];

async function say(client: Wire, commands: readonly string[]): Promise<void> {
  for (const command of commands) assert.match(await client.ask(command), /^[23]/, command);
}

/** With one place on the server, a new client is served only when the server has let the last one go. */
async function serveNext(server: Recorder): Promise<void> {
  for (let tries = 0; tries < 2000; tries++) {
    using client = await dial(server);
    if ((await client.reply()).startsWith("421")) continue;
    await say(client, ["EHLO next.test", ...TO_DATA]);
    client.send(stuffed("next\r\n"));
    assert.match(await client.reply(), /^250 /);
    assert.equal(server.messages.at(-1)?.toString(), "next\r\n");
    return;
  }
  assert.fail("the place of the lost client was never free again");
}

const states: [state: string, commands: readonly string[], unanswered?: string][] = [
  ["after the greeting", []],
  ["after EHLO", ["EHLO c.test"]],
  ["in the middle of a command", ["EHLO c.test"], "MAIL FR"],
  ["after MAIL", ["EHLO c.test", "MAIL FROM:<a@b.test>"]],
  ["after RCPT", ["EHLO c.test", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>"]],
  ["after DATA", ["EHLO c.test", ...TO_DATA]],
  ["in the middle of a message", ["EHLO c.test", ...TO_DATA], `${"x".repeat(70_000)}\r\nab`],
  ["right before the final dot", ["EHLO c.test", ...TO_DATA], "ab\r\n"],
  ["in the middle of the final dot", ["EHLO c.test", ...TO_DATA], "ab\r\n.\r"],
  ["after QUIT", ["EHLO c.test", "QUIT"]],
];
for (const [state, commands, unanswered] of states) {
  test(`a client that resets ${state} hurts nobody: the next is served`, async (t) => {
    const server = await startRecorder(t, {}, { maxClients: 1 });
    using client = await greeted(server);
    await say(client, commands);
    if (unanswered) await new Promise((resolve) => client.socket.write(unanswered, resolve));
    client.socket.resetAndDestroy();
    await serveNext(server);
    assert.deepEqual(server.messages.length, 1);
    assert.deepEqual(server.failures, []);
  });
}

test("resets at every step leave no file, no octet in the budget and no connection behind", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "homing-end-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const server = await startRecorder(t, {}, { stateFolder: folder, maxMessageOctets: 10_000_000 });
  const large = `X: y\r\n\r\n${`${"x".repeat(98)}\r\n`.repeat(10_000)}`;
  const afterDot: typeof states = [
    ["in a file", ["EHLO c.test", ...TO_DATA], large],
    ["after the final dot", ["EHLO c.test", ...TO_DATA], stuffed(large)],
  ];
  for (const [, commands, unanswered] of [...states, ...afterDot]) {
    using client = await greeted(server);
    await say(client, commands);
    if (unanswered) await new Promise((resolve) => client.socket.write(unanswered, resolve));
    client.socket.resetAndDestroy();
  }
  const left = (): string[] => openIn(folder);
  for (
    let tries = 0;
    left().length > 0 || server.counts().clients > 0 || server.counts().bufferedOctets > 0;
    tries++
  ) {
    assert.ok(tries < 1000, JSON.stringify([left(), server.counts()]));
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  assert.deepEqual(readdirSync(folder), []);
  assert.deepEqual(server.failures, []);
});

test("a client that resets before the greeting hurts nobody: the next is served", async (t) => {
  const server = await startRecorder(t, {}, { maxClients: 1 });
  for (let count = 0; count < 20; count++) {
    const socket = connect(server.port, server.host);
    await once(socket, "connect");
    socket.resetAndDestroy();
  }
  await serveNext(server);
  assert.deepEqual(server.failures, []);
});

const pending: [stage: keyof Decisions, commands: readonly string[], last: string][] = [
  ["mail", [], "MAIL FROM:<a@b.test>\r\n"],
  ["rcpt", TO_DATA.slice(0, 1), "RCPT TO:<c@d.test>\r\n"],
  ["data", TO_DATA, stuffed("x\r\n")],
];
for (const [stage, commands, last] of pending) {
  test(`a client that resets while the handler decides on ${stage.toUpperCase()} hurts nobody`, async (t) => {
    const step = gate();
    const server = await startRecorder(t, { [stage]: step.wait }, { maxClients: 1 });
    using client = await hello(server);
    await say(client, commands);
    client.send(last);
    await within(step.reached, "the handler");
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
    step.open();
    await serveNext(server);
    assert.deepEqual(server.failures, []);
  });

  test(`close() lets the handler decide on ${stage.toUpperCase()}, and the client gets its reply`, async (t) => {
    const step = gate();
    const server = await startRecorder(t, { [stage]: step.wait });
    using client = await hello(server);
    await say(client, commands);
    client.send(last);
    await within(step.reached, "the handler");
    const closed = server.close();
    step.open();
    assert.match(await client.reply(), /^250 /);
    assert.match(await client.reply(), /^421 4\.3\.2 /, "it is not waited for");
    await within(closed, "close()");
  });

  for (const how of ["throws", "rejects"]) {
    test(`a handler that ${how} at ${stage.toUpperCase()} is 451 4.3.0, somebody is told, and the session goes on`, async (t) => {
      const bug = new Error("a bug");
      const decide = () => {
        if (how === "throws") throw bug;
        return Promise.reject(bug);
      };
      const server = await startRecorder(t, { [stage]: decide });
      using client = await hello(server);
      await say(client, commands);
      client.send(last);
      assert.equal(await client.reply(), "451 4.3.0 local error, try again later");
      assert.deepEqual(server.failures, [bug]);
      assert.match(await client.ask("NOOP"), /^250 /);
    });
  }
}

for (const behind of ["QUIT\r\n", "NOOP\r\n"]) {
  test(`a client that sends ${behind.trim()} behind the final dot and closes its half, as Exim does, hears our answer`, async (t) => {
    const taking = gate();
    const server = await startRecorder(t, { data: taking.wait });
    using client = await hello(server);
    await say(client, TO_DATA);
    client.socket.end(`x\r\n.\r\n${behind}`);
    await taking.reached;
    // Its end has come when a connection that was begun later is served.
    using _later = await hello(server);
    taking.open();
    assert.match(await client.rest(), /^250 2\.0\.0 taken\r\n2[25]\d [^\r]*\r\n$/);
  });
}

for (const [asked, line] of [
  [" SMTPUTF8", "550 5.1.1 <jürgen@d.test>: no  such user"],
  ["", "550 5.1.1 <j?rgen@d.test>: no??such?user"],
] as const) {
  test(`behind QUIT and its own end a client hears UTF-8 in our answer, MAIL${asked}: 221 is not the first that it reads`, async (t) => {
    const text = "<jürgen@d.test>: no\r\nsuch\u0085user";
    const refusing = gate({ code: 550, enhanced: "5.1.1", text });
    const server = await startRecorder(t, { data: refusing.wait });
    using client = await hello(server);
    await say(client, [`MAIL FROM:<a@b.test>${asked}`, ...TO_DATA.slice(1)]);
    client.socket.end("x\r\n.\r\nQUIT\r\n");
    await refusing.reached;
    // Its end has come when a connection that was begun later is served.
    using _later = await hello(server);
    refusing.open();
    assert.equal(Buffer.from(await client.rest(), "latin1").toString(), `${line}\r\n221 2.0.0 Bye\r\n`);
  });
}

test("a client that closes its half behind the final dot and says nothing more is gone", async (t) => {
  const taking = gate();
  const server = await startRecorder(t, { data: taking.wait });
  using client = await hello(server);
  await say(client, TO_DATA);
  client.socket.end("x\r\n.\r\n");
  await taking.reached;
  assert.equal(await client.rest(), "");
  taking.open();
});

test("close() tells idle clients 421 4.3.2, wherever they are in their session, and takes no more", async (t) => {
  const server = await startRecorder(t);
  using afterEhlo = await hello(server);
  using afterMail = await hello(server);
  using afterRcpt = await hello(server);
  await say(afterMail, TO_DATA.slice(0, 1));
  await say(afterRcpt, TO_DATA.slice(0, 2));
  // The bound of rest() is far below the 30 s that busy clients get.
  const closed = server.close();
  for (const client of [afterEhlo, afterMail, afterRcpt]) {
    assert.equal(await client.rest(), "421 4.3.2 shutting down\r\n");
  }
  await within(closed, "close()");
  await assert.rejects(dial(server), { code: "ECONNREFUSED" });
});

test("a message that is on its way when close() comes may be sent to its end, and gets its reply", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  await say(client, TO_DATA);
  client.send("first half\r\n");
  const closed = server.close();
  client.send(stuffed("second half\r\n"));
  assert.equal(await client.reply(), "250 2.0.0 taken");
  assert.equal(server.messages[0]?.toString(), "first half\r\nsecond half\r\n");
  client.send("QUIT\r\n");
  assert.match(await client.rest(), /^421 /);
  await within(closed, "close()");
});

test("a client that connects just before close() does not hold it up", async (t) => {
  const server = await startRecorder(t);
  using client = await dial(server);
  const closed = server.close();
  // 421, or a reset where the system had not handed it over yet; but not a session.
  assert.match(await client.rest(), /^(?:421 [^\r\n]*\r\n)?$/);
  await within(closed, "close()");
});

test("close() without clients is done at once, and a port that is taken is the system's error", async (t) => {
  const server = await startRecorder(t);
  await assert.rejects(startRecorder(t, {}, { port: server.port }), { code: "EADDRINUSE" });
  await within(server.close(), "close()");
});
