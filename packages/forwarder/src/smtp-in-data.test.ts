// DATA: the message arrives octet for octet, ends at CRLF.CRLF alone, has limits, and no octets that are dangerous.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { DataRefusal } from "./smtp-session.ts";
import { type Recorder, startRecorder } from "./testing/recorder.ts";
import { hello, stuffed } from "./testing/smtp-peers.ts";
import type { Wire } from "./testing/wire.ts";

async function opened(client: Wire): Promise<void> {
  await client.ask("MAIL FROM:<a@b.test> BODY=8BITMIME");
  await client.ask("RCPT TO:<c@d.test>");
  assert.match(await client.ask("DATA"), /^354 /);
}

async function sent(client: Wire, message: string): Promise<string> {
  await opened(client);
  client.send(stuffed(message));
  return await client.reply();
}

function last(server: Recorder): string | undefined {
  return server.messages.at(-1)?.toString("latin1");
}

const everyOctet = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet))
  .join("")
  .replace(/[\0\r\n]/g, "");

const messages: [what: string, message: string][] = [
  ["an empty message", ""],
  ["one empty line", "\r\n"],
  ["no header and no body", "\r\n\r\n"],
  ["a header without body", "Subject: x\r\n"],
  ["every octet but NUL, CR and LF", `Subject: x\r\n\r\n${everyOctet}\r\n`],
  ["8-bit octets", "\r\nJ\xc3\xb6rg \x80\xff\xfe\r\n"],
  ["lines of dots", ".\r\n..\r\n...\r\n.a\r\n..b\r\n \r\n.\r\n"],
  ["a single dot as its first line", ".\r\nx\r\n"],
  ["trailing blanks and tabs", "a  \r\nb\t\r\n  \r\n\t\r\n\r\n\r\n"],
  ["a line of 5000 octets", `${"x".repeat(5000)}\r\ny\r\n`],
  ["a line of 50,000 octets, of dots", `${".".repeat(50_000)}\r\n`],
  ["2,000 lines that begin with a dot", ".dot\r\n".repeat(2000)],
];
for (const [what, message] of messages) {
  test(`${what}: the handler gets every octet`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    assert.equal(await sent(client, message), "250 2.0.0 taken");
    assert.equal(last(server), message);
  });
}

const forbidden: [what: DataRefusal, message: string][] = [
  ["a NUL", "\r\na\0b\r\n"],
  ["a bare CR", "\r\na\rb\r\n"],
  ["a bare CR", "\r\nat the end\r"],
  ["a bare LF", "\r\na\nb\r\n"],
];
for (const [what, message] of forbidden) {
  test(`${JSON.stringify(message)} holds ${what}: 550 5.6.0, told for the log, and the session goes on`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    await opened(client);
    client.send(`${message}\r\n.\r\n`);
    assert.match(await client.reply(), new RegExp(`^550 5\\.6\\.0 the message holds ${what}: `));
    assert.deepEqual(server.reasons, [what]);
    assert.equal(await sent(client, "next\r\n"), "250 2.0.0 taken");
    assert.deepEqual(server.messages.map(String), ["next\r\n"]);
  });
}

test("octets arrive the same whatever packets they come in, even one by one", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  const message = ".\r\n..\r\na\r\n.b\r\n\r\n..\r\n\xff  \r\n";
  await opened(client);
  for (const octet of stuffed(message)) {
    await new Promise((resolve) => client.socket.write(octet, "latin1", resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await client.reply(), "250 2.0.0 taken");
  assert.equal(last(server), message);
});

test("whatever the lines, the message that arrives is the one that was sent, or it is refused", async (t) => {
  const server = await startRecorder(t, {}, { limits: { errors: 1_000_000 } });
  using client = await hello(server);
  const part = fc.constantFrom("\r\n", "\r\n.", ".", "x", "\r", "\n", "\0", "\xff");
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      const message = `${parts.join("")}\r\n`;
      const isClean = !/[\r\n\0]/.test(message.replaceAll("\r\n", ""));
      assert.match(await sent(client, message), isClean ? /^250 / : /^550 5\.6\.0 /);
      if (isClean) assert.equal(last(server), message);
    }),
  );
});

/** Ends that some servers take for the end, and one whose line is only nearly empty. */
const falseEnds: [end: string, reply: RegExp][] = [
  ["\n.\n", /^550 5\.6\.0 /],
  ["\n.\r\n", /^550 5\.6\.0 /],
  ["\r\n.\n", /^550 5\.6\.0 /],
  ["\r.\r", /^550 5\.6\.0 /],
  ["\r.\r\n", /^550 5\.6\.0 /],
  ["\r\n.\r", /^550 5\.6\.0 /],
  ["\r\r\n.\r\r\n", /^550 5\.6\.0 /],
  ["\n.\r", /^550 5\.6\.0 /],
  ["\r\n\0.\r\n", /^550 5\.6\.0 /],
  ["\r\n.\0\r\n", /^550 5\.6\.0 /],
  ["\r\n. \r\n", /^250 /],
  ["\r\n \r\n.\t\r\n", /^250 /],
  ["\x85.\x85", /^250 /],
];
for (const [end, reply] of falseEnds) {
  test(`${JSON.stringify(end)} does not end DATA, and what follows is no command`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    const message = `a${end}MAIL FROM:<evil@x.test>\r\nRCPT TO:<victim@x.test>\r\nDATA\r\nb\r\n`;
    await opened(client);
    client.send(`${message}.\r\n`);
    assert.match(await client.reply(), reply);
    if (reply.test("250 ")) assert.equal(last(server), message);
    else assert.equal(server.messages.length, 0);
    assert.match(await client.ask("NOOP"), /^250 /);
    assert.equal(server.mails.length, 1);
    assert.equal(server.recipients.length, 1);
  });
}

test("content that comes with DATA, before 354, is refused 554 5.5.0, and nothing of it runs", async (t) => {
  for (const parts of [
    ["MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\nx\r\n.\r\nMAIL FROM:<e@b.test>\r\n"],
    // While the handler decides about RCPT, more than one packet comes.
    ["MAIL FROM:<a@b.test>\r\n", "RCPT TO:<c@d.test>\r\nDATA\r\n", "x\r\n.\r\n"],
  ]) {
    const decided = Promise.withResolvers<void>();
    const rcpt = async () => {
      await decided.promise;
      return { code: 250, enhanced: "2.1.5", text: "ok" };
    };
    const server = await startRecorder(t, { rcpt });
    using client = await hello(server);
    for (const part of parts) {
      await new Promise((resolve) => client.socket.write(part, resolve));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    decided.resolve();
    assert.match(await client.rest(), /^250 [^\r]*\r\n250 [^\r]*\r\n554 5\.5\.0 [^\r]*\r\n$/);
    assert.equal(server.messages.length, 0);
    assert.equal(server.mails.length, 1);
    assert.equal(server.counts().pipelinedContent, 1);
  }
});

test("a header may have 100 KiB; one octet more is 552 5.3.4, also where the message is nothing but a header", async (t) => {
  const server = await startRecorder(t, {}, { maxMessageOctets: 1_000_000 });
  using client = await hello(server);
  const header = (octets: number): string => `X: ${"x".repeat(octets - 5)}\r\n`;
  assert.match(await sent(client, `${header(102_400)}\r\nbody\r\n`), /^250 /);
  assert.match(await sent(client, `${header(102_401)}\r\nbody\r\n`), /^552 5\.3\.4 the header /);
  assert.match(await sent(client, header(200_000)), /^552 5\.3\.4 the header /);
  assert.match(await sent(client, `\r\n${"x".repeat(200_000)}\r\n`), /^250 /, "an empty header");
  assert.deepEqual(server.reasons, ["header-too-big", "header-too-big"]);
});

test("a message may be as large as the limit; one octet more is 552 5.3.4 at its end, and the session goes on", async (t) => {
  const server = await startRecorder(t, {}, { maxMessageOctets: 1000 });
  using client = await hello(server);
  const line = `${"x".repeat(98)}\r\n`;
  assert.equal(await sent(client, line.repeat(10)), "250 2.0.0 taken");
  assert.match(await sent(client, `x${line.repeat(10)}`), /^552 5\.3\.4 [^\d]/);
  assert.match(await sent(client, line.repeat(20_000)), /^552 5\.3\.4 [^\d]/);
  assert.equal(await sent(client, line), "250 2.0.0 taken");
  assert.deepEqual(
    server.messages.map((message) => message.length),
    [1000, 100],
  );
  // The log hears of those that no handler saw.
  assert.deepEqual(
    server.refusals.map((reply) => reply.enhanced),
    ["5.3.4", "5.3.4"],
  );
});

test("stuffed dots do not count for the limit", async (t) => {
  const server = await startRecorder(t, {}, { maxMessageOctets: 300 });
  using client = await hello(server);
  assert.equal(await sent(client, ".\r\n".repeat(100)), "250 2.0.0 taken");
});

test("what was answered belongs to its own message: refused, then taken, in one session", async (t) => {
  let count = 0;
  const server = await startRecorder(t, {
    async data() {
      count++;
      return count === 1
        ? { code: 554, enhanced: "5.6.0", text: "no" }
        : { code: 250, enhanced: "2.0.0", text: `message ${count}` };
    },
  });
  using client = await hello(server);
  assert.equal(await sent(client, "one\r\n"), "554 5.6.0 no");
  assert.match(await client.ask("DATA"), /^503 /);
  assert.equal(await sent(client, "two\r\n"), "250 2.0.0 message 2");
  assert.match(await client.ask("RCPT TO:<c@d.test>"), /^503 /);
});
