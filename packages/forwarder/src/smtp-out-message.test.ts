// What goes over the wire to the next hop: the envelope as promised, and the message octet for octet.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Envelope, memoryContent } from "@homing/mail";
import { type Mailbox, NULL_PATH } from "@homing/srs-core";
import fc from "fast-check";
import { type Attempt, submit } from "./smtp-out.ts";
import { type Answers, type Hop, startHop, stuffed } from "./testing/smtp-peers.ts";
import { within } from "./testing/wire.ts";

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

const bracketed: Mailbox = { localPart: "a>b", domain: "x.test" };
const cannot: [
  what: string,
  envelope: Partial<Envelope>,
  extensions: string[],
  code: number,
  enhanced: string,
][] = [
  ["SMTPUTF8 promised, not offered", { smtpUtf8: true }, [], 550, "5.6.7"],
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
