// What people may not do on the submission ports, and what strangers may not: each is refused, with its code, and nothing leaves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { hello, sendMessage, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startTls } from "../packages/forwarder/src/testing/tls-client.ts";
import { srsAddress } from "./harness/bounce-peers.ts";
import { PORT_OF_NOBODY } from "./harness/free-port.ts";
import {
  ALICE,
  alicesClient,
  client,
  logIn,
  PASSWORD,
  policyOf,
  type Sent,
  submissionTo,
  submitMail,
} from "./harness/submission-scene.ts";
import { queued } from "./harness/trust-scene.ts";

const REST = "Subject: x\r\n\r\nHello!\r\n";
const mail = (header: string): string => `${header}\r\n${REST}`;

const refused: [what: string, sent: Sent, reply: RegExp][] = [
  ["a sender that is not his own", { from: "boss@corp.example" }, /^550 5\.7\.1 the sender is none of your/],
  ["bob's address as sender", { from: "x@bob.example" }, /^550 5\.7\.1 /],
  ["a sender below his domain", { from: "alice@sub.home.example" }, /^550 5\.7\.1 /],
  ["a From that is not his own", { message: mail("From: boss@corp.example") }, /^550 5\.7\.1 From holds/],
  ["a second author", { message: mail(`From: ${ALICE}, boss@corp.example`) }, /^550 5\.7\.1 From holds/],
  ["a second From", { message: mail(`From: ${ALICE}\r\nFrom: boss@corp.example`) }, /^550 5\.7\.1 .*several/],
  ["no From", { message: REST }, /^550 5\.7\.1 .*no From/],
  ["a group in From", { message: mail(`From: Friends: ${ALICE};`) }, /^550 5\.7\.1 From cannot be read/],
  ["another address in the name", { message: mail(`From: boss@corp.example <${ALICE}>`) }, /^550 5\.7\.1 /],
  ["an encoded address", { message: mail("From: =?utf-8?q?alice?=@home.example") }, /^550 5\.7\.1 /],
  ["another Sender", { message: mail(`From: ${ALICE}\r\nSender: boss@corp.example`) }, /^550 5\.7\.1 Sender/],
  ["a line that is no field", { message: mail(`From: ${ALICE}\r\nno field`) }, /^550 5\.6\.0 /],
  ["a folded first line", { message: ` x\r\n${mail(`From: ${ALICE}`)}` }, /^550 5\.6\.0 /],
  ["no header", { message: `\r\nFrom: ${ALICE}\r\n` }, /^550 5\.7\.1 /],
  ["a bare LF", { message: mail(`From: ${ALICE}\nBcc: x@y.example`) }, /^550 5\.6\.0 /],
  ["a bare CR", { message: mail(`From: ${ALICE}\rBcc: x@y.example`) }, /^550 5\.6\.0 /],
  ["a NUL", { message: mail(`From: ${ALICE}\0`) }, /^550 5\.6\.0 /],
  ["a mail loop", { message: `${"Received: x\r\n".repeat(50)}${mail(`From: ${ALICE}`)}` }, /^554 5\.4\.6 /],
  ["an unknown recipient of ours", { to: ["nobody@forwarder.example"] }, /^550 5\.1\.1 /],
  ["a forged SRS address", { to: ["SRS0=AAAA=TT=a.example=b@forwarder.example"] }, /^550 5\./],
  [
    "a message that is too large",
    { message: mail(`From: ${ALICE}\r\nX: ${"x".repeat(1_100_000)}`) },
    /^552 5\.3\.4 /,
  ],
];

test("whoever has logged in may send as himself alone, and the reasons are in the log", async (t) => {
  await using forwarder = await submissionTo(t, { port: PORT_OF_NOBODY });
  for (const [what, sent, reply] of refused) {
    using wire = await alicesClient(forwarder);
    assert.match(await submitMail(wire, sent), reply, what);
  }
  assert.equal(await queued(forwarder), 0);
  const reasons = new Set(
    forwarder.events.flatMap((event) => (event.event === "refused" ? [event.reason] : [])),
  );
  for (const reason of [
    "sender-not-own",
    "from-not-own",
    "several-from",
    "no-from",
    "from-syntax",
    "header-syntax",
  ])
    assert.ok(reasons.has(reason), `${reason} of ${[...reasons]}`);
});

test("a whole domain is its owner's, and no address elsewhere", async (t) => {
  await using hop = await startHop();
  await using forwarder = await submissionTo(t, hop);
  using wire = await client(forwarder);
  await logIn(wire, "bob", PASSWORD);
  const from = "any.one@BOB.example";
  assert.match(await submitMail(wire, { from, message: mail("From: Other <other@bob.example>") }), /^250 /);
  assert.match(await submitMail(wire, { from, message: mail(`From: ${ALICE}`) }), /^550 5\.7\.1 /);
});

test("without a log-in nothing leaves, over TLS or not, and port 25 knows no log-ins", async (t) => {
  await using forwarder = await submissionTo(t, { port: PORT_OF_NOBODY });
  const { listen } = forwarder.submission;
  assert.ok(listen);
  using stranger = await client(forwarder);
  assert.match(await submitMail(stranger), /^530 5\.7\.0 /);
  assert.match(await sendMessage(stranger, mail(`From: ${ALICE}`)), /^530 5\.7\.0 /);
  using plain = await hello(listen);
  assert.match(await logIn(plain, "alice", PASSWORD), /^538 5\.7\.11 /);
  assert.match(await submitMail(plain), /^530 5\.7\.0 /);
  using secret = await startTls(listen);
  assert.doesNotMatch(await secret.ask("EHLO client.test"), /STARTTLS/);
  assert.match(await submitMail(secret), /^530 5\.7\.0 /);
  using port25 = await startTls(forwarder);
  assert.doesNotMatch(await port25.ask("EHLO client.test"), /AUTH/);
  assert.match(await logIn(port25, "alice", PASSWORD), /^502 /);
  assert.match(await submitMail(port25), /^550 5\.7\.1 /);
  assert.equal(await queued(forwarder), 0);
});

const noLogIn: [what: string, line: string, reply: RegExp][] = [
  ["an unknown name", `\0nobody\0${PASSWORD}`, /^535 5\.7\.8 name or password is wrong$/],
  ["a wrong password", "\0alice\0guess", /^535 5\.7\.8 name or password is wrong$/],
  ["a password with a blank behind it", `\0alice\0${PASSWORD} `, /^535 5\.7\.8 /],
  ["somebody else's identity", `bob\0alice\0${PASSWORD}`, /^535 5\.7\.8 /],
  ["a NUL behind the password", `\0alice\0${PASSWORD}\0`, /^501 5\.5\.2 /],
  ["a NUL in the name", `\0ali\0ce\0${PASSWORD}`, /^501 5\.5\.2 /],
  ["a line end in the name", `\0alice\r\n\0${PASSWORD}`, /^501 5\.5\.2 /],
  ["no password", "\0alice\0", /^501 5\.5\.2 /],
  ["a name of 256 octets", `\0${"a".repeat(256)}\0x`, /^535 5\.7\.8 /],
];

test("who says something else than name and password is nobody, and no password is in the log", async (t) => {
  await using forwarder = await submissionTo(t, { port: PORT_OF_NOBODY });
  for (const [what, line, reply] of noLogIn) {
    using wire = await client(forwarder);
    assert.match(await wire.ask(`AUTH PLAIN ${Buffer.from(line).toString("base64")}`), reply, what);
    assert.match(await submitMail(wire), /^530 5\.7\.0 /, what);
  }
  const log = JSON.stringify(forwarder.events);
  for (const secret of [JSON.stringify(PASSWORD).slice(1, -1), "guess"])
    assert.ok(!log.includes(secret), secret);
});

test("one client guesses until its budget is spent; then nobody's password is looked at, and others go on", async (t) => {
  let asked = 0;
  await using forwarder = await submissionTo(
    t,
    { port: PORT_OF_NOBODY },
    {
      policy: policyOf(() => new Map(), {
        async check({ password }) {
          asked++;
          return password === PASSWORD ? "alice" : undefined;
        },
      }),
    },
  );
  const replies: string[] = [];
  for (let sessions = 0; sessions < 3; sessions++) {
    using wire = await client(forwarder, "127.0.0.2");
    for (let count = 0; count < 10; count++) replies.push(await logIn(wire, `user${count}`, "guess"));
  }
  assert.deepEqual([replies.filter((reply) => reply.startsWith("535")).length, asked], [20, 20]);
  assert.equal(replies.filter((reply) => reply.startsWith("454 4.7.0")).length, 10);
  using late = await client(forwarder, "127.0.0.2");
  assert.match(await logIn(late, "alice", PASSWORD), /^454 4\.7\.0 /);
  using other = await client(forwarder, "127.0.0.3");
  assert.match(await logIn(other, "alice", PASSWORD), /^235 /);
  const alarms = forwarder.events.filter(({ event }) => event === "log-in-guessing");
  assert.deepEqual(alarms, [
    { event: "log-in-guessing", budget: "network", network: "127.0.0.2", user: "user9" },
  ]);
});

test("many clients guess one name: each hears 454 in the end, and its owner can log in wherever he is", async (t) => {
  let asked = 0;
  await using forwarder = await submissionTo(
    t,
    { port: PORT_OF_NOBODY },
    {
      policy: policyOf(() => new Map(), {
        async check({ password }) {
          asked++;
          return password === PASSWORD ? "alice" : undefined;
        },
      }),
    },
  );
  using before = await client(forwarder, "127.0.0.99");
  assert.match(await logIn(before, "alice", PASSWORD), /^235 /);
  const replies: string[] = [];
  for (let round = 0; round < 5; round++)
    for (let last = 2; last < 42; last++) {
      using wire = await client(forwarder, `127.0.0.${last}`);
      replies.push((await logIn(wire, "Alice", "guess")).slice(0, 3));
    }
  // Three of each: those within the name's own budget count, too.
  assert.deepEqual(
    replies,
    Array.from({ length: 200 }, (_, at) => (at < 120 ? "535" : "454")),
  );
  assert.equal(asked, 121);
  using home = await client(forwarder, "127.0.0.99");
  assert.match(await logIn(home, "alice", PASSWORD), /^235 /);
  using away = await client(forwarder, "127.0.0.98");
  assert.match(await logIn(away, "alice", "mistyped"), /^535 /);
  assert.match(await logIn(away, "alice", PASSWORD), /^235 /, "from a new place, too");
});

test("clients that leave while their passwords are looked at cost their guesses, and hold nobody up", async (t) => {
  await using hop = await startHop();
  await using forwarder = await submissionTo(t, hop);
  const left: Promise<unknown>[] = [];
  for (let count = 0; count < 4; count++) {
    const wire = await client(forwarder, "127.0.0.5");
    wire.send(`AUTH PLAIN ${Buffer.from("\0alice\0guess").toString("base64")}\r\n`);
    wire.socket.end();
    left.push(wire.rest());
  }
  await Promise.all(left);
  using wire = await alicesClient(forwarder);
  assert.match(await submitMail(wire), /^250 /);
  assert.equal(forwarder.events.filter(({ event }) => event === "log-in-failed").length, 4);
  assert.ok(!forwarder.events.some(({ event }) => event === "error"));
});

test("an SRS address of ours is no recipient, and nobody learns whether its tag is good", async (t) => {
  await using forwarder = await submissionTo(t, { port: PORT_OF_NOBODY });
  using wire = await alicesClient(forwarder);
  const good = srsAddress(forwarder.rewriter, "friends@forwarder.example", "far@far.example");
  for (const srs of [good, good.replace(/^SRS0=..../, "SRS0=aaaa")]) {
    assert.match(await submitMail(wire, { to: [srs] }), /^550 5\.7\.1 this address takes bounces alone/);
    await wire.ask("RSET");
  }
  assert.ok(!forwarder.events.some(({ event }) => event === "guessing"));
});
