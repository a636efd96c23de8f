// SMTP smuggling: sequences that some servers take for the end of a message, so that the text behind them runs as
// commands. Into Homing, cut at every octet; and through Homing into a stock Debian Postfix, which believes some of them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Recorder, startRecorder } from "../packages/forwarder/src/testing/recorder.ts";
import { greeted, hello, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { storiesNeed } from "./harness/availability.ts";
import { inProcessForwarder } from "./harness/in-process.ts";
import { type Postfix, startPostfix } from "./harness/postfix.ts";

const SEQUENCES = [
  "\n.\n",
  "\n.\r\n",
  "\r\n.\n",
  "\r.\r",
  "\r.\r\n",
  "\r\n.\r",
  "\n.\r",
  "\r.\n",
  "\r\n.\r\r\n",
  "\r\r\n.\r\r\n",
  "\r\n\0.\r\n",
];
const HEADER = "From: bob@source.example\r\nSubject: first\r\n\r\n";

/** A message that holds another transaction behind the sequence. */
function smuggling(sequence: string, from: string, to: string): string {
  const second = [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`, "DATA", "Subject: smuggled", "", "second"];
  return `${HEADER}first${sequence}${second.join("\r\n")}\r\n`;
}

async function opened(client: Wire): Promise<void> {
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) {
    assert.match(await client.ask(command), /^[23]/);
  }
}

/** One transaction, refused, and a session that goes on with its own commands. */
async function assertRefused(server: Recorder, client: Wire, sequence: string): Promise<void> {
  assert.match(await client.reply(), /^550 5\.6\.0 /, JSON.stringify(sequence));
  assert.equal(await client.ask("NOOP"), "250 2.0.0 OK", "the next reply is to the next command");
  assert.equal(server.messages.length, 0);
  assert.ok(server.mails.every(({ reversePath }) => JSON.stringify(reversePath).includes('"b.test"')));
}

for (const sequence of SEQUENCES) {
  test(`${JSON.stringify(sequence)} smuggles nothing in, wherever the packets are cut`, async (t) => {
    const server = await startRecorder(t, {}, { limits: { errors: 1e6, junkCommands: 1e6 } });
    using client = await hello(server);
    const octets = `${smuggling(sequence, "evil@x.test", "victim@x.test")}.\r\n`;
    const begin = octets.indexOf(sequence) - 1;
    for (let at = begin; at <= begin + sequence.length + 2; at++) {
      await opened(client);
      await new Promise((resolve) => client.socket.write(octets.slice(0, at), "latin1", resolve));
      await new Promise((resolve) => setImmediate(resolve));
      client.send(octets.slice(at));
      await assertRefused(server, client, sequence);
    }
    await opened(client);
    for (const octet of octets) {
      await new Promise((resolve) => client.socket.write(octet, "latin1", resolve));
    }
    await assertRefused(server, client, sequence);
  });
}

const skip = (await storiesNeed("postfix")) ?? false;
test("through Homing nothing is smuggled into a Postfix, which alone believes at least one sequence", {
  skip,
}, async (t) => {
  await using postfix = await startPostfix({
    hostname: "home.example",
    destinations: ["home.example"],
    mailboxes: ["alice"],
  });
  const whole = "From: bob@source.example\r\nSubject: whole\r\n\r\n..\r\n.\r\n.x\r\nend\r\n";
  await using forwarder = await inProcessForwarder({
    aliases: "alice: alice@home.example",
    nextHop: postfix.port,
  });
  for (const sequence of SEQUENCES) {
    using client = await greeted(forwarder);
    const message = smuggling(sequence, "evil@source.example", "alice@home.example");
    const reply = await transact(client, {
      from: "bob@source.example",
      to: "alice@forwarder.example",
      message,
    });
    assert.match(reply, /^550 5\.6\.0 /, JSON.stringify(sequence));
  }
  using client = await greeted(forwarder);
  const sent = await transact(client, {
    from: "bob@source.example",
    to: "alice@forwarder.example",
    message: whole,
  });
  assert.match(sent, /^250 /);
  const [first, ...others] = await postfix.mail("alice");
  assert.match(String(first), /^Subject: whole$/m);
  assert.deepEqual(others, []);
  assert.ok(
    String(first)
      .replaceAll("\r\n", "\n")
      .endsWith(whole.slice(whole.indexOf("\r\n\r\n")).replaceAll("\r\n", "\n")),
  );

  // The same Postfix without Homing before it: what was refused above would have done harm.
  const believed: string[] = [];
  for (const sequence of SEQUENCES) if (await isBelieved(postfix, sequence)) believed.push(sequence);
  assert.ok(believed.includes("\n.\r\n"));
  const all = await postfix.mail("alice", { count: 1 + SEQUENCES.length + believed.length });
  const smuggled = all.filter((message) => /^Subject: smuggled$/m.test(String(message)) && !isFirst(message));
  assert.equal(smuggled.length, believed.length);
  t.diagnostic(
    `this Postfix believes ${believed.length} of ${SEQUENCES.length}: ${JSON.stringify(believed)}`,
  );
});

/** One DATA with the sequence as it is, dots and all: how many messages does Postfix say it has? */
async function isBelieved(postfix: Postfix, sequence: string): Promise<boolean> {
  using direct = await greeted(postfix);
  await direct.ask("EHLO evil.example");
  await direct.ask("MAIL FROM:<bob@source.example>");
  await direct.ask("RCPT TO:<alice@home.example>");
  assert.match(await direct.ask("DATA"), /^354 /);
  direct.send(`${smuggling(sequence, "evil@source.example", "alice@home.example")}.\r\nQUIT\r\n`);
  const queued = (await direct.rest()).match(/^250 2\.0\.0 Ok: queued as /gm)?.length ?? 0;
  assert.ok(queued === 1 || queued === 2, JSON.stringify(sequence));
  return queued === 2;
}

/** Of a message that was not cut, the second one is text of the first. */
function isFirst(message: Buffer): boolean {
  return /^Subject: first$/m.test(String(message));
}
