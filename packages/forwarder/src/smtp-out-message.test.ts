// What goes over the wire to the next hop: the envelope as promised, and the message octet for octet.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Content, countedHolds, type Envelope, memoryContent } from "@homing/mail";
import { type Mailbox, NULL_PATH } from "@homing/srs-core";
import fc from "fast-check";
import type { HostPort } from "./host-port.ts";
import { type Attempt, type Submission, submit } from "./smtp-out.ts";
import { type Answers, type Hop, startHop, stuffed } from "./testing/smtp-peers.ts";
import { startWaitingHop } from "./testing/waiting-hop.ts";
import { serve, within } from "./testing/wire.ts";

const plain: Envelope = {
  reversePath: { localPart: "a", domain: "b.test" },
  recipient: { localPart: "c", domain: "d.test" },
  eightBit: false,
  smtpUtf8: false,
};
const MESSAGE = Buffer.from("Subject: x\r\n\r\ny\r\n");

function send(hop: Hop, envelope: Partial<Envelope> = {}, octets = MESSAGE): Promise<Attempt> {
  const submission = {
    server: hop,
    hostname: "mx.test",
    envelope: { ...plain, ...envelope },
    message: memoryContent(octets),
  };
  return within(submit(submission), "the attempt");
}

function sendContent(hop: HostPort, message: Content, options: Partial<Submission> = {}): Promise<Attempt> {
  return within(
    submit({
      server: { host: hop.host, port: hop.port },
      hostname: "mx.test",
      envelope: plain,
      message,
      ...options,
    }),
    "the attempt",
  );
}

function offering(...extensions: string[]): Answers {
  return { EHLO: `250-${["hop.example", ...extensions].join("\r\n250-")}\r\n250 HELP` };
}

const messages: [what: string, message: string][] = [
  ["8-bit octets", "\r\nJ\xc3\xb6rg \x80\xff\xfe\r\n"],
  ["lines of dots", ".\r\n..\r\n...\r\n.a\r\n..b\r\n \r\n.\r\n"],
  ["a line of 5000 octets", `\r\n${"x".repeat(5000)}\r\n`],
  ["a line of 5000 dots", `\r\n${".".repeat(5000)}\r\n`],
  ["trailing blanks and tabs", "a  \r\nb\t\r\n  \r\n\t\r\n"],
  ["empty lines at its end", "a: b\r\n\r\n\r\n\r\n\r\n"],
  ["an empty body", "Subject: x\r\n\r\n"],
  ["a header and no empty line", "Subject: x\r\n"],
  ["one empty line", "\r\n"],
  ["300,000 octets of lines with dots", `${".x".repeat(30)}\r\n.\r\n`.repeat(4600)],
];
for (const [what, message] of messages) {
  for (const extensions of [["PIPELINING", "8BITMIME"], []]) {
    // RFC 6152 §3; see below.
    if (what === "8-bit octets" && extensions.length === 0) continue;
    test(`${what}: the next hop gets every octet, offering ${extensions.join(" and ") || "nothing"}`, async () => {
      await using hop = await startHop(offering(...extensions));
      const attempt = await send(hop, { eightBit: true }, Buffer.from(message, "latin1"));
      assert.equal(attempt.kind, "accepted");
      assert.equal(hop.messages[0]?.toString("latin1"), stuffed(message));
    });
  }
}

test("whatever the lines, the next hop gets them as they are", async () => {
  await using hop = await startHop();
  const part = fc.constantFrom("\r\n", "\r\n.", ".", "x", "\xff", " ");
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      const message = `${parts.join("")}\r\n`;
      await send(hop, {}, Buffer.from(message, "latin1"));
      assert.equal(hop.messages.at(-1)?.toString("latin1"), stuffed(message));
    }),
    { numRuns: 50 },
  );
});

/** Not in memory but for its beginning: read piece by piece. */
function contentInPieces(pieces: readonly Buffer[]): Content {
  const whole = Buffer.concat(pieces);
  return {
    octets: whole.length,
    start: whole.subarray(0, Math.min(16, whole.length - 1)),
    async *pieces() {
      yield* pieces;
    },
    ...countedHolds(undefined),
  };
}

test("a message in pieces arrives as one in memory, wherever it was cut", async () => {
  await using hop = await startHop();
  const part = fc.constantFrom("\r\n", "\r\n.", ".", "x", "\xff", " ");
  const text = fc.array(part, { minLength: 1, maxLength: 30 }).map((parts) => `${parts.join("")}\r\n`);
  await fc.assert(
    fc.asyncProperty(text, fc.array(fc.nat(60), { maxLength: 5 }), async (message, places) => {
      const octets = Buffer.from(message, "latin1");
      const cuts = [0, ...places.map((at) => at % octets.length).sort((a, b) => a - b), octets.length];
      const pieces = cuts.slice(1).map((end, index) => octets.subarray(cuts[index], end));
      const attempt = await sendContent(hop, contentInPieces(pieces));
      assert.equal(attempt.kind, "accepted");
      assert.equal(hop.messages.at(-1)?.toString("latin1"), stuffed(message));
    }),
    { numRuns: 50 },
  );
});

test("a message of megabytes goes at the pace of the server, and is not held in memory", async () => {
  const reads = Promise.withResolvers<void>();
  await using hop = await serve(async (wire) => {
    wire.send("220 hop.example\r\n");
    for (const reply of ["250 hop.example", "250 ok", "250 ok", "354 go on"]) {
      await wire.line();
      if (reply.startsWith("354")) wire.socket.pause();
      wire.send(`${reply}\r\n`);
    }
    await reads.promise;
    let end = "";
    wire.socket.on("data", (text: string) => {
      end = (end + text).slice(-5);
      if (end === "\r\n.\r\n") wire.send("250 ok\r\n");
    });
    wire.socket.resume();
  });
  const piece = Buffer.from(`${".x".repeat(31)}\r\n`.repeat(1024));
  const count = 512;
  let read = 0;
  const message: Content = {
    ...contentInPieces([piece]),
    octets: piece.length * count,
    async *pieces() {
      for (; read < count; read++) yield piece;
    },
  };
  const pending = sendContent(hop, message);
  while (read === 0) await new Promise((resolve) => setImmediate(resolve));
  for (let turns = 0; turns < 200; turns++) await new Promise((resolve) => setImmediate(resolve));
  assert.ok(read < count, "read to its end while the server read nothing");
  reads.resolve();
  assert.equal((await pending).kind, "accepted");
  assert.equal(read, count);
});

test("a message whose octets cannot be had any more is not ended: no answer, and the server has nothing", async () => {
  await using hop = await startHop();
  const content: Content = {
    ...contentInPieces([Buffer.from("Subject: x\r\n\r\n")]),
    async *pieces() {
      yield Buffer.from("Subject: x\r\n\r\n");
      throw new Error("EIO: the disk is broken");
    },
  };
  const attempt = await sendContent(hop, content);
  assert.deepEqual(attempt, { kind: "no-answer", cause: "EIO: the disk is broken", stage: "transaction" });
  await hop.connections[0]?.rest();
  assert.equal(hop.messages.length, 0);
});

test("a server that says 250 before it has the whole message has not taken it", async () => {
  await using hop = await startWaitingHop({
    says: (verb) => (verb === "DATA" ? "354 go on\r\n250 2.0.0 ok" : undefined),
  });
  const rest = Promise.withResolvers<void>();
  const content: Content = {
    ...contentInPieces([MESSAGE]),
    async *pieces() {
      yield MESSAGE;
      await rest.promise;
      yield MESSAGE;
    },
  };
  const attempt = await sendContent(hop, content);
  rest.resolve();
  assert.equal(attempt.kind, "no-answer");
  assert.equal(hop.messages.length, 0);
});

test("who does not wait any longer ends a message in its middle, and the server has nothing", async () => {
  await using hop = await startHop();
  const patience = new AbortController();
  const content: Content = {
    ...contentInPieces([MESSAGE]),
    async *pieces() {
      yield MESSAGE;
      patience.abort();
      yield MESSAGE;
    },
  };
  const attempt = await sendContent(hop, content, {
    timeIsUp: patience.signal,
    onFinalDot: () => assert.fail("there was no final dot"),
  });
  assert.equal(attempt.kind, "no-answer");
  await hop.connections[0]?.rest();
  assert.equal(hop.messages.length, 0);
});

const EIGHT = Buffer.from("Subject: x\r\n\r\nJ\xc3\xb6rg\r\n", "latin1");
const eightBitTable: [
  what: string,
  content: () => Content,
  eightBit: boolean,
  extensions: string[],
  answer: string,
][] = [
  [
    "announced, to a server that takes it",
    () => memoryContent(EIGHT),
    true,
    ["8BITMIME"],
    "250 BODY=8BITMIME",
  ],
  [
    "not announced, to a server that takes it",
    () => memoryContent(EIGHT),
    false,
    ["8BITMIME"],
    "250 BODY=8BITMIME",
  ],
  ["announced, to a server that does not", () => memoryContent(EIGHT), true, [], "550 5.6.3"],
  ["not announced, to a server that does not", () => memoryContent(EIGHT), false, [], "550 5.6.3"],
  [
    "announced without being there, to a server that does not",
    () => memoryContent(MESSAGE),
    true,
    [],
    "250 ",
  ],
  [
    "far behind in pieces, to a server that takes it",
    () => contentInPieces([MESSAGE, EIGHT]),
    true,
    ["8BITMIME"],
    "250 BODY=8BITMIME",
  ],
  [
    "far behind in pieces, to a server that does not",
    () => contentInPieces([MESSAGE, EIGHT]),
    true,
    [],
    "550 5.6.3",
  ],
  [
    "not announced, far behind in pieces, to a server that takes it",
    () => contentInPieces([MESSAGE, EIGHT]),
    false,
    ["8BITMIME"],
    "250 BODY=8BITMIME",
  ],
  [
    "not announced, far behind in pieces, to a server that does not",
    () => contentInPieces([MESSAGE, EIGHT]),
    false,
    [],
    "550 5.6.3",
  ],
];
for (const [what, content, eightBit, extensions, expected] of eightBitTable) {
  test(`8-bit content ${what}: ${expected}`, async () => {
    await using hop = await startHop(offering(...extensions));
    const attempt = await sendContent(hop, content(), { envelope: { ...plain, eightBit } });
    assert.ok(attempt.kind !== "no-answer");
    const { code, enhanced } = attempt.reply;
    await hop.connections[0]?.rest();
    if (code === 250) {
      assert.equal(`250 ${hop.commands[1]?.match(/BODY=\w+/)?.[0] ?? ""}`, expected);
    } else {
      assert.equal(`${code} ${enhanced}`, expected);
      // No silent 8-bit (RFC 6152 §3): not a message of it.
      assert.equal(hop.messages.length, 0);
    }
  });
}

const SIZE = `SIZE=${MESSAGE.length}`;
const mailCommands: [what: string, envelope: Partial<Envelope>, extensions: string[], command: string][] = [
  ["a sender", {}, [], "MAIL FROM:<a@b.test>"],
  ["the null sender", { reversePath: NULL_PATH }, [], "MAIL FROM:<>"],
  [
    "the null sender of a DSN in UTF-8",
    { reversePath: NULL_PATH, smtpUtf8: true },
    ["SMTPUTF8"],
    "MAIL FROM:<> SMTPUTF8",
  ],
  [
    "a sender in quotes",
    { reversePath: { localPart: "a b", domain: "c.test" } },
    [],
    'MAIL FROM:<"a b"@c.test>',
  ],
  ["SIZE where it is offered", {}, ["SIZE"], `MAIL FROM:<a@b.test> ${SIZE}`],
  ["SIZE where there is room", {}, ["SIZE 100000"], `MAIL FROM:<a@b.test> ${SIZE}`],
  ["8BITMIME promised and offered", { eightBit: true }, ["8BITMIME"], "MAIL FROM:<a@b.test> BODY=8BITMIME"],
  ["8BITMIME promised, not offered", { eightBit: true }, [], "MAIL FROM:<a@b.test>"],
  ["8BITMIME offered, not promised", {}, ["8BITMIME"], "MAIL FROM:<a@b.test>"],
  [
    "SMTPUTF8 promised, addresses in ASCII",
    { smtpUtf8: true },
    ["SMTPUTF8"],
    "MAIL FROM:<a@b.test> SMTPUTF8",
  ],
  ["SMTPUTF8 offered, not promised", {}, ["SMTPUTF8"], "MAIL FROM:<a@b.test>"],
  ["SMTPUTF8 promised, not offered, and not needed", { smtpUtf8: true }, [], "MAIL FROM:<a@b.test>"],
  [
    "SMTPUTF8 for a sender in UTF-8",
    { reversePath: { localPart: "jörg", domain: "b.test" }, smtpUtf8: true },
    ["SMTPUTF8"],
    "MAIL FROM:<jörg@b.test> SMTPUTF8",
  ],
  [
    "SMTPUTF8 for a recipient in UTF-8",
    { recipient: { localPart: "jörg", domain: "d.test" } },
    ["SMTPUTF8"],
    "MAIL FROM:<a@b.test> SMTPUTF8",
  ],
  [
    "all of it",
    { eightBit: true, smtpUtf8: true },
    ["8BITMIME", "SMTPUTF8", "SIZE"],
    `MAIL FROM:<a@b.test> BODY=8BITMIME ${SIZE} SMTPUTF8`,
  ],
];
for (const [what, envelope, extensions, command] of mailCommands) {
  for (const pipelining of [[], ["PIPELINING"]]) {
    test(`${what}: ${command}${pipelining.length > 0 ? ", pipelined" : ""}`, async () => {
      await using hop = await startHop(offering(...extensions, ...pipelining));
      assert.equal((await send(hop, envelope)).kind, "accepted");
      const commands = hop.commands.map((line) => Buffer.from(line, "latin1").toString("utf8"));
      assert.deepEqual(commands.slice(0, 2), ["EHLO mx.test", command]);
      assert.equal(commands[3], "DATA");
    });
  }
}

test("each recipient has its own RCPT, in quotes where it needs them", async () => {
  await using hop = await startHop();
  await send(hop, { recipient: { localPart: 'say "hi"', domain: "[IPv6:2001:db8::1]" } });
  assert.equal(hop.commands[2], 'RCPT TO:<"say \\"hi\\""@[IPv6:2001:db8::1]>');
});

const UTF8_HEADER = Buffer.from("Subject: J\u00f6rg\r\n\r\ny\r\n");
const UTF8_BODY = Buffer.from("Subject: x\r\n\r\nJ\u00f6rg\r\n");
const LONG_HEADER = Buffer.from(`Subject: ${"x".repeat(20)}\r\n\r\ny\r\n`);
/** Its parts have headers of their own. */
function multipart(fileName: string, type = "multipart/mixed"): Buffer {
  const part = `--b\r\nContent-Disposition: attachment; filename="${fileName}"\r\n\r\nx\r\n--b--\r\n`;
  return Buffer.from(`Subject: x\r\nContent-Type: ${type}; boundary=b\r\n\r\n${part}`);
}
function typed(field: string): Buffer {
  return Buffer.from(`${field}\r\nSubject: x\r\n\r\nJ\u00f6rg\r\n`);
}
/** And an unread rest. */
function startInMemory(start: Buffer): Content {
  return { ...contentInPieces([start, MESSAGE]), start };
}
const utf8Table: [what: string, content: () => Content, promised: boolean, answer: string][] = [
  ["promised, ASCII throughout", () => memoryContent(MESSAGE), true, "250"],
  ["promised, UTF-8 in the header", () => memoryContent(UTF8_HEADER), true, "550 5.6.7"],
  // As everywhere: who does not ask for it gets no more than 8BITMIME does.
  ["not promised, UTF-8 in the header", () => memoryContent(UTF8_HEADER), false, "250"],
  ["promised, UTF-8 in the body alone", () => memoryContent(UTF8_BODY), true, "250"],
  ["promised, a header without an end", () => memoryContent(Buffer.from("Subject: x\r\n")), true, "250"],
  [
    "promised, UTF-8 in a header without an end",
    () => memoryContent(Buffer.from("Subject: J\u00f6rg\r\n")),
    true,
    "550 5.6.7",
  ],
  ["promised, the whole header in memory, and ASCII", () => contentInPieces([MESSAGE, MESSAGE]), true, "250"],
  [
    "promised, the end of the header not in memory",
    () => contentInPieces([LONG_HEADER, MESSAGE]),
    true,
    "550 5.6.7",
  ],
  ["promised, UTF-8 in a part's header", () => memoryContent(multipart("J\u00f6rg.txt")), true, "550 5.6.7"],
  ["promised, parts in ASCII", () => memoryContent(multipart("Joerg.txt")), true, "250"],
  [
    "promised, parts in ASCII that are not in memory",
    () => startInMemory(multipart("Joerg.txt")),
    true,
    "550 5.6.7",
  ],
  [
    "promised, UTF-8 in the message inside",
    () => memoryContent(multipart("J\u00f6rg.txt", "message/global")),
    true,
    "550 5.6.7",
  ],
  [
    "promised, UTF-8 in a text",
    () => memoryContent(typed("content-TYPE :\r\n\tTEXT/plain; charset=utf-8")),
    true,
    "250",
  ],
  [
    "promised, a text that is not in memory",
    () => startInMemory(typed("Content-Type: text/plain")),
    true,
    "250",
  ],
  [
    "promised, a text and parts at once",
    () => memoryContent(typed("Content-Type: text/plain\r\nContent-Type: multipart/mixed")),
    true,
    "550 5.6.7",
  ],
  [
    "promised, UTF-8 behind a type that is none",
    () => memoryContent(typed("Content-Type:")),
    true,
    "550 5.6.7",
  ],
  ["not promised, UTF-8 in a part's header", () => memoryContent(multipart("J\u00f6rg.txt")), false, "250"],
];
for (const [what, content, smtpUtf8, expected] of utf8Table) {
  test(`a server without SMTPUTF8, which was ${what}: ${expected}`, async () => {
    await using hop = await startHop(offering("8BITMIME"));
    const attempt = await sendContent(hop, content(), { envelope: { ...plain, smtpUtf8 } });
    assert.ok(attempt.kind !== "no-answer");
    const { code, enhanced } = attempt.reply;
    assert.equal(code === 250 ? "250" : `${code} ${enhanced}`, expected);
    await hop.connections[0]?.rest();
    const mail = hop.commands.filter((line) => line.startsWith("MAIL"));
    assert.equal(mail.length, code === 250 ? 1 : 0);
    assert.ok(!mail.some((line) => line.includes("SMTPUTF8")), "it would not know the parameter");
  });
}

const bracketed: Mailbox = { localPart: "a>b", domain: "x.test" };
const cannot: [
  what: string,
  envelope: Partial<Envelope>,
  extensions: string[],
  code: number,
  enhanced: string,
][] = [
  [
    "a recipient in UTF-8, SMTPUTF8 not offered",
    { recipient: { localPart: "jörg", domain: "d.test" } },
    [],
    550,
    "5.6.7",
  ],
  [
    "a sender in UTF-8, SMTPUTF8 not offered",
    { reversePath: { localPart: "jörg", domain: "d.test" } },
    [],
    550,
    "5.6.7",
  ],
  ["a message over the SIZE that is offered", {}, [`SIZE ${MESSAGE.length - 1}`], 552, "5.3.4"],
  ["a recipient with a bracket in its quotes", { recipient: bracketed }, [], 553, "5.1.3"],
  ["a sender with a bracket in its quotes", { reversePath: bracketed }, [], 553, "5.1.3"],
];
for (const [what, envelope, extensions, code, enhanced] of cannot) {
  test(`${what}: refused for good, and the next hop sees no MAIL`, async () => {
    await using hop = await startHop(offering(...extensions));
    const attempt = await send(hop, envelope);
    assert.ok(attempt.kind === "answered");
    assert.deepEqual(
      [attempt.reply.code, attempt.reply.enhanced, attempt.stage],
      [code, enhanced, "transaction"],
    );
    await hop.connections[0]?.rest();
    assert.ok(!hop.commands.some((line) => line.startsWith("MAIL")));
  });
}

test("the transcript hears every line of the dialogue, in order, and nothing of the message", async () => {
  await using hop = await startHop({ ...offering("PIPELINING"), dot: "250-2.0.0 done\r\n250 2.0.0 %s %d" });
  const heard: string[] = [];
  const attempt = await within(
    submit({
      server: hop,
      hostname: "mx.test",
      envelope: plain,
      message: memoryContent(Buffer.from("Subject: a secret\r\n\r\n250 a secret\r\n")),
      transcript: (from, line) => heard.push(`${from}: ${line}`),
    }),
    "the attempt",
  );
  assert.equal(attempt.kind, "accepted");
  assert.deepEqual(heard, [
    "server: 220 hop.example ESMTP",
    "client: EHLO mx.test",
    "server: 250-hop.example",
    "server: 250-PIPELINING",
    "server: 250 HELP",
    "client: MAIL FROM:<a@b.test>",
    "client: RCPT TO:<c@d.test>",
    "client: DATA",
    "server: 250 2.1.0 ok",
    "server: 250 2.1.5 ok",
    "server: 354 go on",
    "server: 250-2.0.0 done",
    "server: 250 2.0.0 %s %d",
    "client: QUIT",
  ]);
});
