// The pool: how many connections, whose turn it is, what is reused and what is not. A server that is away or pushes back:
// unreachable.test.ts. Several names of one server: shared-server.test.ts.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Content, countedHolds } from "@homing/mail";
import { SILENCE } from "../testing/smtp-peers.ts";
import { startWaitingHop, type WaitingHop } from "../testing/waiting-hop.ts";
import { serve, type Wire, within } from "../testing/wire.ts";
import { both, CLIENT, envelope, JOB, kinds, PATIENT, startScene, until } from "./testing/pool-scene.ts";

both(
  "200 clients of a slow destination: 20 connections, first come first served, none lost",
  async (t, startScene) => {
    const { hop, send } = await startScene(t);
    const attempts = Array.from({ length: 200 }, (_, index) => send(`m${index}`));
    for (let answered = 0; answered < 200; answered++) {
      await until(() => hop.now().owed > 0 && (answered > 0 || hop.now().owed === 20));
      hop.answer();
    }
    assert.deepEqual(kinds(await Promise.all(attempts)), ["accepted"]);
    assert.equal(hop.now().most, 20);
    assert.equal(hop.now().sessions, 20);
    const order = hop.messages.map((text) => Number(text.slice(1)));
    assert.deepEqual(
      [...order].sort((a, b) => a - b),
      Array.from({ length: 200 }, (_, index) => index),
    );
    // The first 20 open connections at once, and come as these are ready; from then on one is served for each answer.
    for (const [place, index] of order.entries())
      assert.ok(Math.abs(place - index) < 20, `${index} at ${place}`);
  },
);

both("one connection carries messages one after another, without RSET", async (t, startScene) => {
  const { hop, send } = await startScene(t, {}, { dot: "250 ok" });
  for (const text of ["a", "b", "c"]) assert.equal((await send(text)).kind, "accepted");
  assert.deepEqual(hop.messages, ["a", "b", "c"]);
  assert.equal(hop.now().sessions, 1);
  assert.ok(!hop.commands.includes("RSET"));
});

both("a refusal is followed by RSET, and the connection is used again", async (t, startScene) => {
  const verbs = ["MAIL", "RCPT", "DATA"];
  for (const refused of verbs) {
    // And what comes behind it, as a server must.
    const says = (verb: string, nth: number) =>
      nth === 1 && verbs.indexOf(verb) >= verbs.indexOf(refused) ? "550 5.7.1 no" : undefined;
    // One connection: the next message has to wait for the RSET.
    const { hop, send } = await startScene(t, { maxConnections: 1 }, { dot: "250 ok", says });
    assert.equal((await send("a")).kind, "answered");
    assert.equal((await send("b")).kind, "accepted");
    await until(() => hop.messages.length === 1);
    assert.deepEqual(hop.commands.slice(-4), ["RSET", ...hop.commands.slice(-3)], refused);
  }
});

test("a client hears `busy` after a second without a free connection, and its place in line is free", async (t) => {
  const { hop, send, clock } = await startScene(t, { maxConnections: 1 });
  const first = send("first");
  await until(() => hop.now().owed === 1);
  const second = send("second", CLIENT);
  const third = send("third");
  clock.advance(999);
  clock.advance(1);
  assert.deepEqual(await second, { kind: "busy", cause: "no connection was free", hasWaited: true });
  const atOnce = await send("at once", { kind: "waiting-client", freeWithinMs: 0 });
  assert.deepEqual(atOnce, { kind: "busy", cause: "no connection was free" });
  hop.answer();
  await until(() => hop.now().owed === 1);
  hop.answer();
  assert.deepEqual(kinds(await Promise.all([first, third])), ["accepted"]);
  assert.deepEqual(hop.messages, ["first", "third"]);
});

both("who does not wait any longer leaves the line", async (t, startScene) => {
  const { hop, send } = await startScene(t, { maxConnections: 1 });
  const first = send("first");
  await until(() => hop.now().owed === 1);
  const patience = new AbortController();
  const second = send("second", PATIENT, { timeIsUp: patience.signal });
  const third = send("third");
  patience.abort();
  assert.deepEqual(await second, { kind: "no-answer", cause: "time is up", stage: "greeting" });
  hop.answer();
  await until(() => hop.now().owed === 1);
  hop.answer();
  await Promise.all([first, third]);
  assert.deepEqual(hop.messages, ["first", "third"]);
});

both("each message of a connection can be cut until its own final dot", async (t, startScene) => {
  const says = (verb: string, nth: number) => (verb === "MAIL" && nth === 2 ? SILENCE : undefined);
  const { hop, send } = await startScene(t, {}, { dot: "250 ok", says });
  await send("a");
  const patience = new AbortController();
  const second = send("b", PATIENT, { timeIsUp: patience.signal });
  await until(() => hop.commands.filter((line) => line.startsWith("MAIL")).length === 2);
  patience.abort();
  assert.equal((await second).kind, "no-answer");
});

test("jobs of the spool use 5 connections, and clients go before those who wait", async (t) => {
  const { hop, send } = await startScene(t, { maxConnections: 6 });
  const attempts = Array.from({ length: 8 }, (_, index) => send(`job${index}`, JOB));
  await until(() => hop.now().owed === 5);
  attempts.push(send("client0"));
  await until(() => hop.now().owed === 6);
  attempts.push(send("client1"));
  for (let answered = 0; answered < 10; answered++) {
    await until(() => hop.now().owed > 0);
    hop.answer();
  }
  await Promise.all(attempts);
  assert.equal(hop.now().most, 6);
  assert.equal(hop.messages.indexOf("client0"), 5);
  assert.equal(hop.messages.indexOf("client1"), 6);
  assert.deepEqual(hop.messages.slice(7), ["job5", "job6", "job7"]);
});

const endings: [how: string, end: (hop: WaitingHop) => void][] = [
  ["closed", (hop) => hop.wires[0]?.socket.end()],
  ["reset", (hop) => hop.wires[0]?.socket.resetAndDestroy()],
  ["ended with 421", (hop) => hop.wires[0]?.send("421 4.4.2 idle too long\r\n")],
];
for (const [how, end] of endings) {
  both(
    `a connection that the server has ${how} meanwhile: the message goes over a new one`,
    async (t, startScene) => {
      const { hop, send } = await startScene(t, {}, { dot: "250 ok" });
      await send("a");
      end(hop);
      // With and without the news having come.
      assert.equal((await send("b")).kind, "accepted");
      assert.deepEqual(hop.messages, ["a", "b"]);
      assert.equal(hop.now().sessions, 2);
    },
  );
}

for (const [what, said] of [
  ["the end of the connection", ""],
  ["421", "421 4.4.2 idle too long"],
] as const) {
  both(
    `a reused connection that answers MAIL with ${what}: once more on a new one, and never twice`,
    async (t, startScene) => {
      const says = (verb: string, nth: number) => (verb === "MAIL" && nth === 2 ? said : undefined);
      const { hop, send } = await startScene(t, {}, { dot: "250 ok", says });
      await send("a");
      assert.equal((await send("b")).kind, "accepted");
      assert.deepEqual(hop.messages, ["a", "b"]);
      assert.equal(hop.now().sessions, 2);

      const gone = await startScene(
        t,
        {},
        { dot: "250 ok", says: (verb, nth) => (verb === "MAIL" && nth > 1 ? said : undefined) },
      );
      await gone.send("a");
      assert.equal((await gone.send("b")).kind, said === "" ? "no-answer" : "answered");
      assert.equal(gone.hop.now().sessions, 2);
    },
  );
}

both(
  "a connection that is lost behind MAIL is not tried again: the answer is the queue's business",
  async (t, startScene) => {
    const says = (verb: string, nth: number) => (verb === "RCPT" && nth === 2 ? "" : undefined);
    const { hop, send } = await startScene(t, {}, { dot: "250 ok", says });
    await send("a");
    const attempt = await send("b");
    assert.equal(attempt.kind, "no-answer");
    assert.equal(hop.now().sessions, 1);
    assert.equal((await send("c")).kind, "accepted");
  },
);

both(
  "what the client cannot say is an answer at once, and not a connection that is dead",
  async (t, startScene) => {
    const { hop, send } = await startScene(t, {}, { dot: "250 ok" });
    await send("a");
    const bracketed = { ...envelope, recipient: { localPart: "a>b", domain: "x.test" } };
    const attempt = await send("b", PATIENT, { envelope: bracketed });
    assert.ok(attempt.kind === "answered");
    assert.equal(attempt.reply.code, 553);
    assert.equal(hop.now().sessions, 1);
  },
);

both(
  "421 in mid-session is the message's answer, and the connection is not used again",
  async (t, startScene) => {
    const { hop, send } = await startScene(t);
    const first = send("a");
    await until(() => hop.now().owed === 1);
    hop.answer("421 4.3.0 going down");
    const attempt = await first;
    assert.ok(attempt.kind === "answered");
    assert.equal(attempt.reply.code, 421);
    const second = send("b");
    await until(() => hop.now().owed === 1);
    hop.answer();
    assert.equal((await second).kind, "accepted");
    assert.equal(hop.now().sessions, 2);
  },
);

both("a connection that was lost is none: who closes does not wait for it", async (t, startScene) => {
  const { hop, outbound, send } = await startScene(t);
  const first = send("a");
  await until(() => hop.now().owed === 1);
  hop.answer("421 4.3.0 going down");
  await first;
  await within(outbound.close(), "the end");
});

both("an answer that nobody asked for ends the connection", async (t, startScene) => {
  const { hop, send } = await startScene(t, {}, { dot: "250 ok\r\n250 ok again" });
  await send("a");
  // At once: the next command's answer would be the one too many.
  assert.equal((await send("b")).kind, "accepted");
  assert.equal(hop.now().sessions, 2);
});

both(
  "a server that answers in the middle of a message has answered, and hears nothing more on this connection",
  async (t, startScene) => {
    const sessions: Wire[] = [];
    const hop = await serve(async (wire) => {
      sessions.push(wire);
      wire.send("220 hop.example\r\n");
      for (const reply of ["250 hop.example", "250 ok", "250 ok", "354 go on", "552 5.3.4 too big"]) {
        await wire.line();
        wire.send(`${reply}\r\n`);
      }
    });
    t.after(() => hop[Symbol.asyncDispose]());
    const { send } = await startScene(t);
    const answered = Promise.withResolvers<void>();
    const message: Content = {
      octets: 1_000,
      start: Buffer.alloc(0),
      async *pieces() {
        yield Buffer.from("Subject: x\r\n");
        await answered.promise;
        yield Buffer.from("rest\r\n");
      },
      ...countedHolds(undefined),
    };
    const { host, port } = hop;
    const attempt = await send("", PATIENT, { hop: { host, port }, message });
    answered.resolve();
    assert.ok(attempt.kind === "answered");
    assert.equal(attempt.reply.enhanced, "5.3.4");
    assert.equal((await send("b", PATIENT, { hop: { host, port } })).kind, "answered");
    assert.equal(sessions.length, 2);
    assert.equal(String(sessions[0]?.heard()).split("DATA\r\n")[1], "Subject: x\r\n");
  },
);

both("a connection has its last message after so many, and says QUIT", async (t, startScene) => {
  const { hop, send } = await startScene(t, { maxMessagesPerConnection: 2 }, { dot: "250 ok" });
  for (const text of ["a", "b", "c"]) await send(text);
  await until(() => hop.commands.includes("QUIT"));
  assert.equal(hop.now().sessions, 2);
});

test("an idle connection says QUIT after its time; one that was used meanwhile does not", async (t) => {
  const { hop, send, clock } = await startScene(t, { idleSeconds: 10 }, { dot: "250 ok" });
  await send("a");
  clock.advance(9_999);
  await send("b");
  clock.advance(1);
  assert.equal((await send("c")).kind, "accepted");
  assert.equal(hop.now().sessions, 1);
  assert.ok(!hop.commands.includes("QUIT"));
  clock.advance(10_000);
  await until(() => hop.commands.includes("QUIT") && hop.now().open === 0);
  assert.equal(clock.timers, 0);
});

test("a message is one timer at most, however many go over a connection", async (t) => {
  const { send, clock } = await startScene(t, {}, { dot: "250 ok" });
  for (let sent = 0; sent < 50; sent++) await send("a");
  assert.equal(clock.timers, 1);
});

test("421 makes jobs of the spool pause, and not clients; the pause ends by itself", async (t) => {
  const greeting = (session: number) => (session === 1 ? "421 4.7.0 too many connections" : undefined);
  const { hop, send, clock } = await startScene(t, {}, { dot: "250 ok", greeting });
  const attempt = await send("a", JOB);
  assert.ok(attempt.kind === "answered");
  assert.equal(attempt.stage, "greeting");
  const job = send("job", JOB);
  assert.equal((await send("client", CLIENT)).kind, "accepted");
  clock.advance(499);
  assert.deepEqual(hop.messages, ["client"]);
  clock.advance(1);
  assert.equal((await job).kind, "accepted");
});

both("4.7.x halves the connections that are used, and each success gives one back", async (t, startScene) => {
  const { hop, send } = await startScene(t, { maxConnections: 4 });
  const sendMany = (count: number) => Array.from({ length: count }, (_, index) => send(`m${index}`));
  const attempts = sendMany(6);
  await until(() => hop.now().owed === 4);
  hop.answer("451 4.7.1 slow down");
  await until(() => hop.commands.includes("RSET"));
  // Two are allowed and three are busy. Each success allows one more and makes room for one.
  for (const owed of [3, 3, 3, 2, 1]) {
    await until(() => hop.now().owed === owed);
    hop.answer();
  }
  assert.deepEqual(kinds(await Promise.all(attempts)), ["accepted", "answered"]);
  const more = sendMany(4);
  await until(() => hop.now().owed === 4);
  for (let answered = 0; answered < 4; answered++) hop.answer();
  assert.deepEqual(kinds(await Promise.all(more)), ["accepted"]);
  assert.equal(hop.now().most, 4);
});

test("a job whose connection cannot be had gives its place back", async (t) => {
  const { send, clock } = await startScene(t, { queueConnections: 1 });
  for (let tried = 0; tried < 3; tried++) {
    assert.equal((await send("a", JOB, { hop: { host: "127.0.0.1", port: 1 } })).kind, "no-answer");
    clock.advance(60_000);
  }
});

test("a rate spreads the messages to a destination over time", async (t) => {
  const { hop, send, clock } = await startScene(t, { messagesPerSecond: 2 }, { dot: "250 ok" });
  const attempts = ["a", "b", "c"].map((text) => send(text));
  await attempts[0];
  clock.advance(499);
  assert.deepEqual(hop.messages, ["a"]);
  clock.advance(1);
  await attempts[1];
  clock.advance(500);
  assert.equal((await attempts[2])?.kind, "accepted");
});

both(
  "all connections together have a limit: an idle one gives way to another destination, a busy one is waited for",
  async (t, startScene) => {
    const one = await startScene(t, { maxTotal: 1 }, { dot: "250 ok" });
    const other = await startWaitingHop();
    t.after(() => other[Symbol.asyncDispose]());
    const { host, port } = other;
    await one.send("a");
    const there = one.send("b", PATIENT, { hop: { host, port } });
    await until(() => other.now().owed === 1);
    assert.ok(one.hop.commands.includes("QUIT"));
    const back = one.send("c");
    other.answer();
    assert.deepEqual(kinds(await Promise.all([there, back])), ["accepted"]);
    assert.deepEqual(one.hop.messages, ["a", "c"]);
  },
);

test("at the limit of all connections a server that is never idle gives way to another after one message", async (t) => {
  const one = await startScene(t, { maxTotal: 1 });
  const other = await startWaitingHop();
  t.after(() => other[Symbol.asyncDispose]());
  const { host, port } = other;
  const here = ["a", "b", "c"].map((text) => one.send(text));
  await until(() => one.hop.now().owed === 1);
  const there = one.send("d", PATIENT, { hop: { host, port } });
  one.hop.answer();
  await until(() => other.now().owed === 1);
  assert.deepEqual(one.hop.messages, ["a"]);
  other.answer();
  for (let answered = 0; answered < 2; answered++) {
    await until(() => one.hop.now().owed === 1);
    one.hop.answer();
  }
  assert.deepEqual(kinds(await Promise.all([...here, there])), ["accepted"]);
  // Only its own messages waited then: a new connection for each would help nobody.
  assert.equal(one.hop.now().sessions, 2);
});

both(
  "who closes says QUIT to idle connections, waits for busy ones, and sends waiting ones away",
  async (t, startScene) => {
    const { hop, outbound, send } = await startScene(t, { maxConnections: 2 });
    const first = send("a");
    await until(() => hop.now().owed === 1);
    const second = send("b");
    await until(() => hop.now().owed === 2);
    const third = send("c");
    hop.answer();
    await until(() => hop.now().owed === 2);
    const fourth = send("d");
    const closed = outbound.close();
    assert.equal((await fourth).kind, "busy");
    assert.equal((await send("e")).kind, "busy");
    hop.answer();
    hop.answer();
    assert.deepEqual(kinds(await Promise.all([first, second, third])), ["accepted"]);
    await within(closed, "the end");
    await until(() => hop.now().open === 0);
    assert.equal(hop.commands.filter((line) => line === "QUIT").length, 2);
  },
);

both("LMTP has connections of its own, and they are reused as those of SMTP", async (t, startScene) => {
  const { hop, send } = await startScene(t, {}, { dot: "250 ok" });
  for (const protocol of ["lmtp", "smtp", "lmtp"] as const) {
    assert.equal((await send(protocol, PATIENT, { protocol })).kind, "accepted");
  }
  assert.deepEqual(
    hop.commands.filter((line) => /^(?:LHLO|EHLO)/.test(line)),
    ["LHLO mx.test", "EHLO mx.test"],
  );
});

test("TLS from the first octet has connections of its own: nothing goes over one in clear", async (t) => {
  const { hop, send } = await startScene(t, {}, { dot: "250 ok" });
  const { host, port } = hop;
  assert.equal((await send("a")).kind, "accepted");
  assert.notEqual((await send("b", PATIENT, { hop: { host, port, implicitTls: true } })).kind, "accepted");
  assert.equal(hop.messages.length, 1);
});

test("a job hears `busy` after half a minute, so that it does not hold its place in the queue for ever", async (t) => {
  const { hop, send, clock } = await startScene(t, { queueConnections: 1 });
  const first = send("a", JOB);
  await until(() => hop.now().owed === 1);
  const second = send("b", JOB);
  clock.advance(30_000);
  assert.equal((await second).kind, "busy");
  hop.answer();
  assert.equal((await first).kind, "accepted");
});

test("nobody listens: no answer for the one, and no connection is held", async (t) => {
  const { outbound, send, clock } = await startScene(t, { maxConnections: 1 });
  for (let tried = 0; tried < 3; tried++) {
    const attempt = await send("a", CLIENT, { hop: { host: "127.0.0.1", port: 1 } });
    assert.ok(attempt.kind === "no-answer");
    assert.equal(attempt.stage, "greeting");
    // Whoever comes in the next moment hears it at once, and holds nobody's session open.
    const next = await send("a", CLIENT, { hop: { host: "127.0.0.1", port: 1 } });
    assert.deepEqual(next, { kind: "busy", cause: "the server could not be reached a moment ago" });
    clock.advance(60_000);
  }
  await within(outbound.close(), "the end");
});

test("while clients keep coming, every fifth turn is a job's", async (t) => {
  const { hop, send } = await startScene(t, { maxConnections: 1 });
  const first = send("c1", CLIENT);
  await until(() => hop.messages.length === 1);
  const others = ["job", "c2", "c3", "c4", "c5", "c6", "c7"].map((text) =>
    send(text, text === "job" ? JOB : CLIENT),
  );
  for (let answered = 1; answered <= 8; answered++) {
    await until(() => hop.messages.length === answered);
    hop.answer();
  }
  assert.deepEqual(kinds(await Promise.all([first, ...others])), ["accepted"]);
  assert.deepEqual(hop.messages, ["c1", "c2", "c3", "c4", "c5", "job", "c6", "c7"]);
});

both("clients who wait for one destination are bounded: one more hears it at once", async (t, startScene) => {
  const { hop, send } = await startScene(t, { maxConnections: 1, maxWaitingClients: 2 });
  const sent = ["c1", "c2", "c3"].map((text) => send(text, CLIENT));
  await until(() => hop.messages.length === 1);
  assert.deepEqual(await send("c4", CLIENT), { kind: "busy", cause: "no connection was free" });
  for (let answered = 1; answered <= 3; answered++) {
    await until(() => hop.messages.length === answered);
    hop.answer();
  }
  assert.deepEqual(kinds(await Promise.all(sent)), ["accepted"]);
});

both("whoever leaves does not wait for a server that never greets", async (t, startScene) => {
  const { hop, outbound, send } = await startScene(t, {}, { greeting: () => "" });
  const attempt = send("a", JOB);
  await until(() => hop.now().sessions === 1);
  await within(outbound.close(AbortSignal.abort()), "the end");
  assert.equal((await attempt).kind, "no-answer");
});
