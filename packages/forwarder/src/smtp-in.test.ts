import assert from "node:assert/strict";
import { test } from "node:test";
import type { Reply } from "@homing/mail";
import { blockList } from "./networks.ts";
import { heardByEarlyTalker } from "./testing/early-talker.ts";
import { type Decisions, dialFrom, startRecorder } from "./testing/recorder.ts";
import { greeted, hello, stuffed } from "./testing/smtp-peers.ts";
import { dial } from "./testing/wire.ts";

const NO: Reply = { code: 550, enhanced: "5.7.1", text: "no" };
const OK: Reply = { code: 250, enhanced: "2.1.5", text: "ok" };
const LATER: Reply = { code: 452, enhanced: "4.5.3", text: "later" };

test("the greeting comes though no timer of this process ever fires", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  using client = await dial(await startRecorder(t));
  assert.equal(await client.reply(), "220 mx.test ESMTP Homing");
});

test("a client that talks before the greeting gets 554 5.5.1 in its place", async (t) => {
  const server = await startRecorder(t);
  const heard = await heardByEarlyTalker(server, "EHLO early.test\r\n");
  assert.equal(heard, "554 5.5.1 you spoke before you were greeted\r\n");
  assert.equal(server.counts().talkedTooSoon, 1);
});

test("one client too many gets 421 4.3.2 alone, and a place that became free is given again", async (t) => {
  const server = await startRecorder(t, {}, { maxClients: 1 });
  using first = await hello(server);
  using second = await dial(server);
  assert.equal(await second.rest(), "421 4.3.2 too many connections, try again later\r\n");
  assert.equal(await first.ask("QUIT"), "221 2.0.0 Bye");
  using third = await dial(server);
  assert.match(await third.reply(), /^220 /);
});

test("EHLO offers these extensions and no others", async (t) => {
  using client = await greeted(await startRecorder(t));
  assert.equal(
    await client.ask("EHLO client.test"),
    "250-mx.test\n250-PIPELINING\n250-8BITMIME\n250-SMTPUTF8\n250-ENHANCEDSTATUSCODES\n250-DSN\n250 SIZE 100000",
  );
  assert.equal(await client.ask("HELO client.test"), "250 mx.test");
});

const refusals: [stage: keyof Decisions, reply: Reply, line: string][] = [
  ["mail", { code: 550, enhanced: "5.7.1", text: "not from there" }, "550 5.7.1 not from there"],
  ["mail", { code: 451, enhanced: "4.7.1", text: "wait" }, "451 4.7.1 wait"],
  ["rcpt", { code: 550, enhanced: "5.7.1", text: "no relaying" }, "550 5.7.1 no relaying"],
  ["rcpt", { code: 452, enhanced: "4.5.3", text: "one at a time" }, "452 4.5.3 one at a time"],
  ["rcpt", { code: 550, enhanced: "5.1.10", text: "null MX" }, "550 5.1.10 null MX"],
  ["data", { code: 554, enhanced: "5.4.6", text: "loop" }, "554 5.4.6 loop"],
  ["data", { code: 550, enhanced: "5.7.26", text: "SPF" }, "550 5.7.26 SPF"],
  ["data", { code: 250, enhanced: "2.0.0", text: "<a@b.test>: on" }, "250 2.0.0 <a@b.test>: on"],
  ["data", { code: 550, enhanced: "5.0.0", text: "a\r\n250 2.0.0 b" }, "550 5.0.0 a??250 2.0.0 b"],
  ["data", { code: 550, enhanced: "5.0.0", text: "Jörg" }, "550 5.0.0 J?rg"],
];
for (const [stage, reply, line] of refusals) {
  test(`a reply to ${stage.toUpperCase()} with ${reply.enhanced} is one line, with that code alone: ${line}`, async (t) => {
    using client = await hello(await startRecorder(t, { [stage]: async () => reply }));
    const replies = [await client.ask("MAIL FROM:<a@b.test>")];
    if (stage !== "mail") replies.push(await client.ask("RCPT TO:<c@d.test>"));
    if (stage === "data") {
      await client.ask("DATA");
      client.send(stuffed("x\r\n"));
      replies.push(await client.reply());
    }
    assert.equal(replies.at(-1), line);
    assert.equal(await client.ask("NOOP"), "250 2.0.0 OK");
  });
}

test("UTF-8 stands in a reply only for a client that asked for SMTPUTF8", async (t) => {
  const reply: Reply = { code: 550, enhanced: "5.1.1", text: "jörg is not here" };
  using client = await hello(await startRecorder(t, { rcpt: () => reply }));
  await client.ask("MAIL FROM:<a@b.test> SMTPUTF8");
  const line = Buffer.from(await client.ask("RCPT TO:<c@d.test>"), "latin1").toString("utf8");
  assert.equal(line, "550 5.1.1 jörg is not here");
});

/** A session whose recipients are refused, deferred or taken as their local part says. */
function judged() {
  return { rcpt: ({ localPart }) => ({ no: NO, later: LATER })[localPart] ?? NO } satisfies Decisions;
}

test("after 20 refusals the next is 421 4.7.0, and the connection ends", async (t) => {
  using client = await hello(await startRecorder(t, judged()));
  await client.ask("MAIL FROM:<a@b.test>");
  for (let count = 1; count <= 20; count++) {
    assert.equal(await client.ask("RCPT TO:<no@d.test>"), "550 5.7.1 no", `refusal ${count}`);
  }
  client.send("RCPT TO:<no@d.test>\r\n");
  assert.equal(await client.rest(), "421 4.7.0 too many errors\r\n");
});

test("refusals are counted as well when the commands come in one packet", async (t) => {
  using client = await hello(await startRecorder(t, judged()));
  client.send(`MAIL FROM:<a@b.test>\r\n${"RCPT TO:<no@d.test>\r\n".repeat(200)}`);
  const replies = (await client.rest()).split("\r\n");
  assert.deepEqual(replies.slice(1, -1), [
    ...Array<string>(20).fill("550 5.7.1 no"),
    "421 4.7.0 too many errors",
  ]);
});

test("a 452 is no error of the client, however often", async (t) => {
  using client = await hello(await startRecorder(t, judged()));
  await client.ask("MAIL FROM:<a@b.test>");
  for (let count = 1; count <= 50; count++) {
    assert.equal(await client.ask("RCPT TO:<later@d.test>"), "452 4.5.3 later");
  }
});

test("a message that was taken forgives the refusals before it", async (t) => {
  using client = await hello(
    await startRecorder(t, {
      rcpt: ({ localPart }) => (localPart === "no" ? NO : { ...NO, code: 250, enhanced: "2.1.5" }),
    }),
  );
  for (const round of [1, 2]) {
    await client.ask("MAIL FROM:<a@b.test>");
    for (let count = 1; count <= 20; count++) {
      assert.equal(await client.ask("RCPT TO:<no@d.test>"), "550 5.7.1 no", `${count} of round ${round}`);
    }
    await client.ask("RCPT TO:<yes@d.test>");
    await client.ask("DATA");
    client.send(stuffed("x\r\n"));
    assert.match(await client.reply(), /^250 /);
  }
});

for (const request of ["GET / HTTP/1.1", "post /x", "CONNECT x.test:25", "\x16\x03\x01", "{", "\xff", "\0"]) {
  test(`${JSON.stringify(request)} is no SMTP: 421 at once, and what follows is not run`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    client.send(`${request}\r\nHost: x\r\n\r\nMAIL FROM:<a@b.test>\r\n`);
    assert.equal(await client.rest(), "421 4.7.0 this is a mail server\r\n");
    assert.equal(server.mails.length, 0);
  });
}

test("a command line may have 2048 octets; the next octet is answered 421, with or without a line end", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  assert.equal(await client.ask(`NOOP ${"x".repeat(2043)}`), "250 2.0.0 OK");
  client.send(`NOOP ${"x".repeat(2044)}\r\n`);
  assert.match(await client.rest(), /^421 4\.5\.2 [^\r\n]*\r\n$/);
  using endless = await hello(server);
  endless.send("x".repeat(2049));
  assert.match(await endless.rest(), /^421 4\.5\.2 [^\r\n]*\r\n$/);
});

test("unknown commands are errors like others: twenty are answered, the next is 421 4.7.0", async (t) => {
  using client = await hello(await startRecorder(t));
  client.send("WHAT\r\n".repeat(30));
  const replies = (await client.rest()).split("\r\n");
  assert.deepEqual(
    replies.map((line) => line.slice(0, 9)),
    [...Array<string>(20).fill("500 5.5.2"), "421 4.7.0", ""],
  );
});

test("a hundred commands that bring no mail forward are free; each one more is an error", async (t) => {
  using client = await hello(await startRecorder(t));
  client.send("NOOP\r\nRSET\r\nVRFY x\r\nEHLO again.test\r\n".repeat(40));
  const replies = (await client.rest()).split("\r\n").filter((line) => /^\d{3} /.test(line));
  // EHLO of hello() was the first.
  assert.equal(replies.length, 99 + 20 + 1);
  assert.equal(replies.at(-1), "421 4.7.0 too many errors");
});

test("a message that was taken forgives the junk before it", async (t) => {
  using client = await hello(await startRecorder(t, {}, { limits: { junkCommands: 3, errors: 0 } }));
  for (let round = 1; round <= 3; round++) {
    for (const command of ["NOOP", "NOOP", "MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"]) {
      assert.match(await client.ask(command), /^[23]/, `${command} in round ${round}`);
    }
    client.send(stuffed("x\r\n"));
    assert.match(await client.reply(), /^250 /);
  }
});

for (const [which, name] of [
  ["another", (count: number) => `${count}@d.test`],
  ["the same, named again,", () => "c@d.test"],
] as const) {
  test(`one recipient too many, ${which} is 452 4.5.3, without end it is an error`, async (t) => {
    const limits = { recipients: 3, recipientsPutOff: 5, errors: 2 };
    const server = await startRecorder(t, {}, { limits });
    using client = await hello(server);
    const commands = Array.from({ length: 16 }, (_, count) => `RCPT TO:<${name(count)}>\r\n`);
    client.send(`MAIL FROM:<a@b.test>\r\n${commands.join("")}`);
    const replies = (await client.rest()).split("\r\n").slice(1, -1);
    assert.deepEqual(
      replies.map((line) => line.slice(0, 9)),
      [...Array(3).fill("250 2.1.5"), ...Array(5 + 2).fill("452 4.5.3"), "421 4.7.0"],
    );
    assert.equal(server.recipients.length, 3);
  });
}

test("recipients are counted by transaction, and those that were refused are not", async (t) => {
  const rcpt = ({ localPart }: { readonly localPart: string }): Reply => (localPart === "no" ? NO : OK);
  using client = await hello(await startRecorder(t, { rcpt }, { limits: { recipients: 1 } }));
  for (let message = 0; message < 2; message++) {
    await client.ask("MAIL FROM:<a@b.test>");
    assert.match(await client.ask("RCPT TO:<no@d.test>"), /^550 /);
    assert.match(await client.ask("RCPT TO:<c@d.test>"), /^250 /);
    assert.match(await client.ask("RCPT TO:<e@d.test>"), /^452 4\.5\.3 too many recipients/);
    await client.ask("RSET");
  }
});

test("a network has its share of connections, given again when one goes; trusted clients are not counted", async (t) => {
  const limits = { clientsPerNetwork: 2 };
  const server = await startRecorder(t, {}, { limits });
  using first = await hello(server);
  using _second = await hello(server);
  using third = await dial(server);
  assert.equal(await third.rest(), "421 4.7.0 too many connections from your network, try again later\r\n");
  using elsewhere = await dialFrom("127.0.0.2", server);
  assert.match(await elsewhere.reply(), /^220 /);
  await first.ask("QUIT");
  using fourth = await dial(server);
  assert.match(await fourth.reply(), /^220 /);
  assert.equal(server.counts().turnedAway, 1);
  const friendly = await startRecorder(t, {}, { limits, trusted: blockList(["127.0.0.0/8"]) });
  using clients = new DisposableStack();
  for (let count = 0; count < 5; count++) {
    assert.match(await clients.use(await dial(friendly)).reply(), /^220 /);
  }
});

test("a client that speaks during the wait before the greeting gets 554, others are greeted", async (t) => {
  const server = await startRecorder(t, {}, { greetDelayMs: 50 });
  using early = await dial(server);
  using patient = await dial(server);
  early.send("E");
  assert.match(await early.rest(), /^554 5\.5\.1 [^\r\n]*\r\n$/);
  assert.match(await patient.reply(), /^220 /);
  assert.equal(server.counts().talkedTooSoon, 1);
});

test("pipelined commands are answered one by one, in order", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  client.send("MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<>\r\nDATA\r\n");
  const replies = [];
  for (let count = 0; count < 4; count++) replies.push((await client.reply()).slice(0, 9));
  assert.deepEqual(replies, ["250 2.1.0", "250 2.1.5", "501 5.1.3", "354 End d"]);
  client.send(`${stuffed("one\r\n")}RSET\r\nMAIL FROM:<>\r\nNOOP\r\nQUIT\r\n`);
  assert.match(
    await client.rest(),
    /^250 2\.0\.0 taken\r\n250 2\.0\.0 .*\r\n250 2\.1\.0 .*\r\n250 .*\r\n221 .*\r\n$/,
  );
  assert.equal(server.messages.toString(), "one\r\n");
});
