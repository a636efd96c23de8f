// DATA: the message arrives octet for octet, ends at CRLF.CRLF alone, and has limits.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
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

const everyOctet = Array.from({ length: 256 }, (_, octet) => String.fromCharCode(octet)).join("");

const messages: [what: string, message: string][] = [
  ["an empty message", ""],
  ["one empty line", "\r\n"],
  ["no header and no body", "\r\n\r\n"],
  ["a header without body", "Subject: x\r\n"],
  ["every octet there is", `Subject: x\r\n\r\n${everyOctet}\r\n`],
  ["8-bit octets", "\r\nJ\xc3\xb6rg \x80\xff\xfe\r\n"],
  ["NUL", "\r\na\0b\0\r\n\0\r\n"],
  ["bare CR", "\r\na\rb\r\r\n\rc\r\n"],
  ["bare LF", "\r\na\nb\n\nc\r\n\nd\r\n"],
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

test("octets arrive the same whatever packets they come in, even one by one", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  const message = ".\r\n..\r\na\r\n.b\r\n\r\n.\r.\r\n\xff\0  \r\n";
  await opened(client);
  for (const octet of stuffed(message)) {
    await new Promise((resolve) => client.socket.write(octet, "latin1", resolve));
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(await client.reply(), "250 2.0.0 taken");
  assert.equal(last(server), message);
});

test("whatever the lines, the message that arrives is the one that was sent", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  const part = fc.constantFrom("\r\n", "\r\n.", ".", "x", "\r", "\0", "\xff");
  await fc.assert(
    fc.asyncProperty(fc.array(part, { maxLength: 30 }), async (parts) => {
      const message = `${parts.join("")}\r\n`;
      // A LF that stands for itself is the library's one exception: it takes the first of two dots behind it away.
      fc.pre(!/(?<!\r)\n\./.test(message));
      assert.equal(await sent(client, message), "250 2.0.0 taken");
      assert.equal(last(server), message);
    }),
  );
});

const falseEnds = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\r\r\n.\r\r\n",
  "\n.\r",
  "\r\n\0.\r\n",
  "\r\n.\0\r\n",
  "\r\n. \r\n",
  "\r\n \r\n.\t\r\n",
  "\x85.\x85",
];
for (const end of falseEnds) {
  test(`${JSON.stringify(end)} does not end DATA, and what follows is no command`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    const message = `a${end}MAIL FROM:<evil@x.test>\r\nRCPT TO:<victim@x.test>\r\nDATA\r\nb\r\n`;
    await opened(client);
    client.send(`${message}.\r\n`);
    assert.equal(await client.reply(), "250 2.0.0 taken");
    assert.equal(last(server), message);
    assert.match(await client.ask("NOOP"), /^250 /);
    assert.equal(server.mails.length, 1);
    assert.equal(server.recipients.length, 1);
  });
}

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
