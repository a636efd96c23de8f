// What becomes of an attempt, whatever the server says or does.
import assert from "node:assert/strict";
import { once } from "node:events";
import { Socket } from "node:net";
import { test } from "node:test";
import tls from "node:tls";
import { type Envelope, memoryContent } from "@homing/mail";
import type { HostPort } from "./host-port.ts";
import { type Attempt, submit } from "./smtp-out.ts";
import { type Answers, FIN, type Hop, RST, SILENCE, startHop } from "./testing/smtp-peers.ts";
import { serve, type Wire, within } from "./testing/wire.ts";

const envelope: Envelope = {
  reversePath: { localPart: "a", domain: "b.test" },
  recipient: { localPart: "c", domain: "d.test" },
  eightBit: false,
  smtpUtf8: false,
};

const SUBMISSION = {
  hostname: "mx.test",
  envelope,
  message: memoryContent(Buffer.from("Subject: x\r\n\r\ny\r\n")),
};

function attempt({ host, port }: HostPort): Promise<Attempt> {
  return within(submit({ ...SUBMISSION, server: { host, port } }), "the attempt");
}

const PLAIN = "250-hop.example\r\n250 HELP";
const PIPELINED = "250-hop.example\r\n250 PIPELINING";

const answered: [at: string, answers: Answers, code: number, enhanced: string, stage: string][] = [
  ["the greeting", { greeting: "554 5.3.2 not you" }, 554, "5.3.2", "greeting"],
  ["the greeting", { greeting: "421 4.7.0 busy" }, 421, "4.7.0", "greeting"],
  ["the greeting, in lines", { greeting: "554-no\r\n554-mail\r\n554 here" }, 554, "5.0.0", "greeting"],
  ["EHLO", { EHLO: "421 4.3.2 closing" }, 421, "4.3.2", "greeting"],
  ["EHLO and HELO", { EHLO: "502 no", HELO: "550 5.7.1 bad name" }, 550, "5.7.1", "greeting"],
  ["MAIL", { MAIL: "550 5.7.1 spam" }, 550, "5.7.1", "transaction"],
  ["MAIL", { MAIL: "451 4.7.1 later" }, 451, "4.7.1", "transaction"],
  ["MAIL", { MAIL: "421 4.7.0 too many" }, 421, "4.7.0", "transaction"],
  ["RCPT", { RCPT: "550 5.1.1 unknown" }, 550, "5.1.1", "transaction"],
  ["RCPT", { RCPT: "450 4.2.1 greylisted" }, 450, "4.2.1", "transaction"],
  ["RCPT, in lines", { RCPT: "550-5.1.1 a\r\n550 5.1.1 b" }, 550, "5.1.1", "transaction"],
  ["RCPT", { RCPT: "551 5.1.6 try <x@y.test>" }, 551, "5.1.6", "transaction"],
  [
    "RCPT, by a server that takes DATA all the same",
    { RCPT: "550 5.1.1 no", DATA: "354 go", dot: "250 ok" },
    550,
    "5.1.1",
    "transaction",
  ],
  ["DATA", { DATA: "451 4.3.1 disk full" }, 451, "4.3.1", "transaction"],
  ["DATA", { DATA: "554 5.5.1 no" }, 554, "5.5.1", "transaction"],
  ["the final dot", { dot: "550-5.7.26 SPF\r\n550 5.7.26 failed" }, 550, "5.7.26", "transaction"],
  ["the final dot", { dot: "452 4.2.2 full" }, 452, "4.2.2", "transaction"],
  ["the final dot", { dot: "421 4.3.0 going down" }, 421, "4.3.0", "transaction"],
];
for (const [at, answers, code, enhanced, stage] of answered) {
  for (const [how, EHLO] of [
    ["one by one", PLAIN],
    ["pipelined", PIPELINED],
  ] as const) {
    test(`${code} ${enhanced} at ${at}, commands ${how}, is the server's answer`, async () => {
      // A server that has no recipient refuses DATA.
      const noRecipient = (answers.MAIL ?? answers.RCPT) ? { DATA: "503 5.5.1 no recipient" } : {};
      await using hop = await startHop({ EHLO, ...noRecipient, ...answers });
      const outcome = await attempt(hop);
      assert.ok(outcome.kind === "answered");
      assert.deepEqual([outcome.reply.code, outcome.reply.enhanced, outcome.stage], [code, enhanced, stage]);
    });
  }
}

const taken: [what: string, answers: Answers, text: string][] = [
  ["in one line", { dot: "250 2.0.0 queued as 1A" }, "queued as 1A"],
  ["in several lines", { dot: "250-2.0.0 queued\r\n250 2.0.0 as 1A" }, "queued as 1A"],
  ["without words", { dot: "250" }, ""],
  ["with 251", { RCPT: "251 will forward", dot: "250 ok" }, "ok"],
  ["by a server that knows only HELO", { EHLO: "502 5.5.1 what", dot: "250 ok" }, "ok"],
  ["by a server that says a lot", { greeting: "220-hop\r\n220-no spam\r\n220 here", dot: "250 ok" }, "ok"],
  ["and QUIT refused", { dot: "250 ok", QUIT: "500 what" }, "ok"],
  ["and QUIT answered by a reset", { dot: "250 ok", QUIT: RST }, "ok"],
  ["by a server that refuses its own STARTTLS", { EHLO: "250-hop\r\n250 STARTTLS", dot: "250 ok" }, "ok"],
];
for (const [what, answers, text] of taken) {
  test(`a message that is taken ${what} is accepted`, async () => {
    await using hop = await startHop(answers);
    const outcome = await attempt(hop);
    assert.ok(outcome.kind === "accepted");
    assert.deepEqual([outcome.reply.code, outcome.reply.text], [250, text]);
    await hop.connections[0]?.rest();
    assert.equal(hop.messages.length, 1);
  });
}

const steps = ["greeting", "EHLO", "MAIL", "RCPT", "DATA", "dot"] as const;
for (const step of steps) {
  const stage = step === "greeting" || step === "EHLO" ? "greeting" : "transaction";
  for (const [how, end] of [
    ["closes", FIN],
    ["resets", RST],
  ] as const) {
    for (const [commands, EHLO] of [
      ["one by one", PLAIN],
      ["pipelined", PIPELINED],
    ] as const) {
      test(`a server that ${how} instead of its answer to ${step} gave none; commands ${commands}`, async () => {
        await using hop = await startHop({ EHLO, [step]: end });
        const outcome = await attempt(hop);
        assert.equal(outcome.kind, "no-answer");
        assert.equal(outcome.stage, stage);
      });
    }
  }
}

const garbage: [what: string, answers: Answers][] = [
  ["words for a greeting", { greeting: "hello" }],
  ["HTTP for a greeting", { greeting: "HTTP/1.1 400 Bad Request" }],
  ["octets for a greeting", { greeting: "\x15\x03\x01\0\x02\x02\x46" }],
  ["words at MAIL", { EHLO: PLAIN, MAIL: "what?" }],
  ["a code of no class at RCPT", { EHLO: PLAIN, RCPT: "999 x" }],
  ["354 at the final dot", { dot: "354 again" }],
  ["words at the final dot", { dot: "queued" }],
  ["two answers to MAIL", { EHLO: PLAIN, MAIL: "250 ok\r\n250 ok" }],
  ["a line of 2 MiB for a greeting", { greeting: "2".repeat(2 << 20) }],
  ["a line of 2 MiB at the final dot", { dot: `5${"x".repeat(2 << 20)}` }],
  ["a reply of 100,000 lines", { EHLO: "250-x more than a megabyte\r\n".repeat(100_000) }],
];
for (const [what, answers] of garbage) {
  test(`${what}: no answer to rely on`, async () => {
    await using hop = await startHop(answers);
    assert.equal((await attempt(hop)).kind, "no-answer");
  });
}

test("a server's words are one line of printable text, however it wrote them", async () => {
  await using hop = await startHop({ dot: `550 5.6.0 \x1b[2J\0\t${"x".repeat(2000)}` });
  const outcome = await attempt(hop);
  assert.ok(outcome.kind === "answered");
  assert.ok(/^[^\p{Cc}]{1,1000}$/u.test(outcome.reply.text), "not bounded, or not printable");
});

test("nobody listens: no answer, and the next host may be tried", async () => {
  const outcome = await attempt({ host: "127.0.0.1", port: 1 });
  assert.equal(outcome.kind, "no-answer");
  assert.equal(outcome.stage, "greeting");
});

const brokenTls: [how: string, end: (wire: Wire) => void][] = [
  ["answers the handshake with words", (wire) => wire.send("no TLS here\r\n")],
  ["closes in the handshake", (wire) => wire.socket.end()],
  ["resets in the handshake", (wire) => wire.socket.resetAndDestroy()],
];
for (const [how, end] of brokenTls) {
  test(`a server that offers TLS and ${how} gets its mail without TLS`, async () => {
    let sessions = 0;
    await using server = await serve(async (wire) => {
      sessions++;
      wire.send("220 hop.example\r\n");
      await wire.line();
      wire.send("250-hop.example\r\n250 STARTTLS\r\n");
      if ((await wire.line()) === "STARTTLS") {
        wire.send("220 go\r\n");
        // The first octet of a TLS handshake record.
        await wire.until("\x16");
        return end(wire);
      }
      for (const reply of ["250 MAIL", "250 RCPT", "354 DATA", "250 queued"]) {
        wire.send(`${reply}\r\n`);
        await wire.until(reply === "354 DATA" ? "\r\n.\r\n" : "\r\n");
      }
    });
    assert.equal((await attempt(server)).kind, "accepted");
    assert.equal(sessions, 2);
  });
}

test("a server that never greets is given up", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const greeted = Promise.withResolvers<void>();
  await using server = await serve(async ({ socket }) => {
    greeted.resolve();
    await once(socket, "close");
  });
  const pending = attempt(server);
  await within(greeted.promise, "the client");
  t.mock.timers.tick(5 * 60_000);
  const outcome = await pending;
  assert.equal(outcome.kind, "no-answer");
  assert.equal(outcome.stage, "greeting");
});

test("an answer to the message that never ends is none after ten minutes, however lively it is", async (t) => {
  const { setTimeout: real } = globalThis;
  const asked: number[] = [];
  t.mock.method(globalThis, "setTimeout", (call: () => void, ms: number) => {
    asked.push(ms);
    return real(call, ms === 600_000 ? 100 : ms);
  });
  await using hop = await startHop({ dot: "250-wait" });
  const pending = submit({ ...SUBMISSION, server: { host: hop.host, port: hop.port } });
  const drip = setInterval(() => hop.connections[0]?.send("250-wait\r\n"), 10);
  t.after(() => clearInterval(drip));
  const outcome = await within(pending, "the attempt");
  assert.ok(outcome.kind === "no-answer");
  assert.equal(outcome.cause, "no whole answer to the message in ten minutes");
  assert.ok(asked.includes(600_000));
});

test("a server that ignores QUIT is left after five seconds", async (t) => {
  await using hop = await startHop({ QUIT: SILENCE });
  t.mock.timers.enable({ apis: ["setTimeout"] });
  assert.equal((await attempt(hop)).kind, "accepted");
  while (!hop.commands.includes("QUIT")) await new Promise((resolve) => setImmediate(resolve));
  const closed = once(hop.connections[0]?.socket ?? assert.fail(), "close");
  t.mock.timers.tick(5_000);
  await within(closed, "the end of the connection");
});

for (const step of steps) {
  if (step === "dot") continue;
  test(`who does not wait any longer ends an attempt that waits for an answer to ${step}: no answer`, async () => {
    const patience = new AbortController();
    await using hop = await startHop({ EHLO: PLAIN, [step]: SILENCE });
    const pending = submit({
      ...SUBMISSION,
      server: { host: hop.host, port: hop.port },
      timeIsUp: patience.signal,
    });
    while (!hasReached(hop, step)) await new Promise((resolve) => setImmediate(resolve));
    patience.abort();
    const outcome = await within(pending, "the attempt");
    assert.ok(outcome.kind === "no-answer");
    assert.equal(outcome.cause, "time is up");
  });
}

test("an attempt whose final dot was sent is never cut: the server may have the message", async () => {
  const patience = new AbortController();
  await using hop = await startHop({ dot: SILENCE });
  let dots = 0;
  const pending = submit({
    ...SUBMISSION,
    server: { host: hop.host, port: hop.port },
    timeIsUp: patience.signal,
    onFinalDot: () => dots++,
  });
  while (hop.messages.length === 0) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(dots, 1);
  patience.abort();
  hop.connections[0]?.send("250 2.0.0 stored\r\n");
  const outcome = await within(pending, "the attempt");
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.reply.text, "stored");
});

test("no final dot is told of where the server did not ask for the message", async () => {
  for (const answers of [{ RCPT: "550 no", DATA: "503 no" }, { DATA: "451 no" }, { MAIL: FIN }]) {
    await using hop = await startHop(answers);
    const server = { host: hop.host, port: hop.port };
    const onFinalDot = () => assert.fail("there was no final dot");
    assert.notEqual((await submit({ ...SUBMISSION, server, onFinalDot })).kind, "accepted");
  }
});

function hasReached(hop: Hop, step: (typeof steps)[number]): boolean {
  const silent = { greeting: /^/, EHLO: /^EHLO/, MAIL: /^MAIL/, RCPT: /^RCPT/, DATA: /^DATA/, dot: /^/ }[
    step
  ];
  if (step === "greeting") return hop.connections.length > 0;
  return step === "dot" ? hop.messages.length > 0 : hop.commands.some((line) => silent.test(line));
}

test("who has stopped waiting before the attempt begins: no answer, and nobody is connected to", async () => {
  await using hop = await startHop();
  const server = { host: hop.host, port: hop.port };
  for (const protocol of ["smtp", "lmtp"] as const) {
    assert.deepEqual(await submit({ ...SUBMISSION, server, protocol, timeIsUp: AbortSignal.abort() }), {
      kind: "no-answer",
      cause: "time is up",
      stage: "greeting",
    });
  }
  assert.equal(hop.connections.length, 0);
});

test("port 465 is spoken to in clear first, as every port", async (t) => {
  const connect = t.mock.method(tls, "connect");
  const outcome = await attempt({ host: "127.0.0.1", port: 465 });
  assert.equal(outcome.kind, "no-answer");
  assert.equal(connect.mock.callCount(), 0);
});

const MINUTE = 60_000;
for (const [step, minutes] of [
  ["EHLO", 5],
  ["MAIL", 5],
  ["RCPT", 5],
  ["DATA", 5],
  ["dot", 10],
] as const) {
  test(`a server that falls silent at ${step} is given up after ${minutes} minutes`, async (t) => {
    // Sockets keep their own time; here the test tells the client's when it is up.
    const setTimeout = t.mock.method(Socket.prototype, "setTimeout");
    await using hop = await startHop({ EHLO: PLAIN, [step]: SILENCE });
    const pending = attempt(hop);
    while (!hasReached(hop, step)) await new Promise((resolve) => setImmediate(resolve));
    const [call] = setTimeout.mock.calls.filter(({ arguments: [limit] }) => limit !== 0).slice(-1);
    assert.ok(call);
    assert.equal(call.arguments[0], minutes * MINUTE);
    (call.this as Socket).emit("timeout");
    assert.equal((await pending).kind, "no-answer");
  });
}
