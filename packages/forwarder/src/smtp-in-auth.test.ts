// AUTH on submission ports, through real sockets: when it is offered, what may come before and behind it, how long its lines may be.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { blockList } from "./networks.ts";
import type { SmtpListener, SmtpListenerOptions } from "./smtp-in.ts";
import type { AskedLogIn, LoggedIn } from "./smtp-session.ts";
import { CERTIFICATE, CERTIFICATE_KEY } from "./testing/certificate.ts";
import { type Decisions, startRecorder } from "./testing/recorder.ts";
import { greeted, hello, sendMessage } from "./testing/smtp-peers.ts";
import { dialTls, overTls, startTls } from "./testing/tls-client.ts";
import { dial, Wire, within } from "./testing/wire.ts";

const tls = { key: Buffer.from(CERTIFICATE_KEY), cert: Buffer.from(CERTIFICATE) };
const base64 = (text: string): string => Buffer.from(text).toString("base64");
const RIGHT = `AUTH PLAIN ${base64("\0alice\0secret")}`;
const WRONG = `AUTH PLAIN ${base64("\0alice\0guess")}`;
const WRONG_REPLY: LoggedIn = {
  kind: "refuse",
  reply: { code: 535, enhanced: "5.7.8", text: "name or password is wrong" },
};

const alice: LoggedIn = {
  kind: "in",
  submitter: { name: "alice", sender: () => Promise.reject(new Error("nobody asks here")) },
};

/** Knows alice, and keeps what it was asked. */
async function startPort(t: TestContext, options: Partial<SmtpListenerOptions> = {}, more: Decisions = {}) {
  const logIns: AskedLogIn[] = [];
  const server = await startRecorder(
    t,
    {
      async logIn(login) {
        logIns.push(login);
        return login.name === "alice" && login.password === "secret" ? alice : WRONG_REPLY;
      },
      ...more,
    },
    { tls, ...options },
  );
  return Object.assign(server, { logIns });
}

async function gone(server: Pick<SmtpListener, "counts">, left: number): Promise<void> {
  for (const end = performance.now() + 15_000; server.counts().clients > left && performance.now() < end; )
    await new Promise((resolve) => setImmediate(resolve));
  assert.equal(server.counts().clients, left);
}

/** Over TLS, with EHLO said. */
async function helloTls(server: Parameters<typeof startTls>[0]): Promise<Wire> {
  const client = await startTls(server);
  await client.ask("EHLO client.test");
  return client;
}

async function loggedIn(server: Parameters<typeof startTls>[0]): Promise<Wire> {
  const client = await helloTls(server);
  assert.equal(await client.ask(RIGHT), "235 2.7.0 logged in");
  return client;
}

test("AUTH is offered behind STARTTLS alone, and not to who has logged in; port 25 does not know it", async (t) => {
  const server = await startPort(t);
  using plain = await greeted(server);
  const first = await plain.ask("EHLO client.test");
  assert.doesNotMatch(first, /AUTH/);
  assert.match(first, /STARTTLS/);
  using client = await startTls(server);
  const offered = await client.ask("EHLO client.test");
  assert.match(offered, /^250 AUTH PLAIN LOGIN$/m);
  assert.equal(offered.match(/^250 /gm)?.length, 1, "one last line");
  await client.ask(RIGHT);
  assert.doesNotMatch(await client.ask("EHLO client.test"), /AUTH/);
  const port25 = await startRecorder(t, {}, { tls });
  using stranger = await helloTls(port25);
  assert.doesNotMatch(await stranger.ask("EHLO client.test"), /AUTH/);
  assert.match(await stranger.ask(RIGHT), /^502 5\.5\.1 /);
  assert.match(await stranger.ask("MAIL FROM:<a@b.test> AUTH=<>"), /^555 5\.5\.4 /);
});

test("without TLS nobody logs in, and nobody sends mail", async (t) => {
  const server = await startPort(t);
  using client = await hello(server);
  assert.match(await client.ask(RIGHT), /^538 5\.7\.11 /);
  assert.match(await client.ask("AUTH LOGIN"), /^538 5\.7\.11 /);
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA"])
    assert.match(await client.ask(command), /^530 5\.7\.0 .*STARTTLS/);
  assert.deepEqual(server.logIns, []);
  assert.deepEqual(server.mails, []);
});

test("over TLS mail is taken only behind a log-in, as ESMTPSA of that person", async (t) => {
  const server = await startPort(t);
  using client = await helloTls(server);
  for (const command of ["MAIL FROM:<a@b.test>", "RCPT TO:<c@d.test>", "DATA", "mail FROM:<a@b.test>"])
    assert.match(await client.ask(command), /^530 5\.7\.0 .*AUTH/);
  assert.match(await client.ask(WRONG), /^535 5\.7\.8 /);
  assert.match(await client.ask("MAIL FROM:<a@b.test>"), /^530 5\.7\.0 /, "who was refused is still nobody");
  assert.match(await client.ask(RIGHT), /^235 2\.7\.0 /);
  assert.match(await client.ask("MAIL FROM:<a@b.test> AUTH=<>"), /^250 /);
  assert.match(await client.ask("RCPT TO:<c@d.test>"), /^250 /);
  assert.match(await sendMessage(client, "Subject: x\r\n\r\nx\r\n"), /^250 /);
  assert.match(await client.ask("MAIL FROM:<> SMTPUTF8"), /^250 /, "for the next message, too");
  assert.deepEqual(
    server.mails.map(({ client: { protocol, submitter } }) => [protocol, submitter?.name]),
    [
      ["ESMTPSA", "alice"],
      ["UTF8SMTPSA", "alice"],
    ],
  );
  assert.deepEqual(
    server.logIns.map(({ name, password, clientAddress }) => [name, password, clientAddress]),
    [
      ["alice", "guess", "127.0.0.1"],
      ["alice", "secret", "127.0.0.1"],
    ],
  );
});

test("LOGIN and PLAIN, with and without an initial response, over the wire", async (t) => {
  const server = await startPort(t);
  const ways = [
    [RIGHT],
    ["AUTH PLAIN", base64("\0alice\0secret")],
    ["AUTH LOGIN", base64("alice"), base64("secret")],
    [`AUTH LOGIN ${base64("alice")}`, base64("secret")],
  ];
  for (const lines of ways) {
    using client = await helloTls(server);
    const replies: string[] = [];
    for (const line of lines) replies.push(await client.ask(line));
    assert.match(replies.pop() ?? "", /^235 /);
    for (const reply of replies) assert.match(reply, /^334 [A-Za-z0-9+/=]*$/);
  }
  using client = await helloTls(server);
  assert.equal(await client.ask("AUTH PLAIN"), "334 ", "the blank belongs to it (RFC 4954 §4)");
  assert.match(await client.ask("*"), /^501 5\.7\.0 /);
  assert.match(await client.ask("NOOP"), /^250 /, "a command again");
});

test("a line of a log-in is no command, whatever it says", async (t) => {
  const server = await startPort(t);
  for (const line of ["GET", "QUIT", "RSET", "STARTTLS", "AUTH PLAIN", "MAIL FROM:<a@b.test>"]) {
    using client = await helloTls(server);
    await client.ask("AUTH LOGIN");
    assert.match(await client.ask(line), /^(?:501 5\.5\.2 |334 )/, line);
  }
  assert.deepEqual(server.mails, []);
});

test("who has logged in cannot log in again, in a transaction neither, and STARTTLS and XCLIENT come too late", async (t) => {
  const server = await startPort(t, { xclientNetworks: blockList(["127.0.0.0/8"]) });
  using client = await loggedIn(server);
  assert.match(await client.ask(RIGHT), /^503 5\.5\.1 /);
  assert.match(await client.ask("STARTTLS"), /^503 5\.5\.1 /);
  assert.match(await client.ask("XCLIENT ADDR=192.0.2.7"), /^503 5\.5\.1 /);
  await client.ask("MAIL FROM:<a@b.test>");
  assert.match(await client.ask(WRONG), /^503 5\.5\.1 /);
  assert.match(await client.ask("RCPT TO:<c@d.test>"), /^250 /, "the transaction goes on");
  assert.equal(server.logIns.length, 1);
});

test("XCLIENT names a client and never who has logged in", async (t) => {
  const server = await startPort(t, { xclientNetworks: blockList(["127.0.0.0/8"]) });
  using client = await helloTls(server);
  assert.match(await client.ask("XCLIENT ADDR=192.0.2.7 LOGIN=alice"), /^501 5\.5\.4 /);
  assert.match(await client.ask("XCLIENT ADDR=192.0.2.7"), /^220 /);
  await client.ask("EHLO client.test");
  assert.match(await client.ask("MAIL FROM:<a@b.test>"), /^530 /);
  await client.ask(RIGHT);
  assert.equal(server.logIns[0]?.clientAddress, "192.0.2.7");
});

test("AUTH wants EHLO: neither nothing nor HELO will do", async (t) => {
  const server = await startPort(t);
  using client = await startTls(server);
  assert.match(await client.ask(RIGHT), /^503 5\.5\.1 /);
  await client.ask("HELO client.test");
  assert.match(await client.ask(RIGHT), /^503 5\.5\.1 /);
  assert.deepEqual(server.logIns, []);
});

test("lines of a log-in have 12,288 octets, all others 2,048; one more ends the session", async (t) => {
  const server = await startPort(t);
  const longest = "A".repeat(12_288);
  using good = await helloTls(server);
  await good.ask("AUTH PLAIN");
  assert.match(await good.ask(longest), /^501 5\.5\.2 /, "read, and no name and password");
  assert.match(await good.ask(`AUTH PLAIN ${"A".repeat(12_276)}`), /^501 5\.5\.2 /);
  assert.match(await good.ask(`NOOP ${"x".repeat(2043)}`), /^250 /);
  assert.match(await good.ask(`NOOP ${"x".repeat(2044)}`), /^421 4\.5\.2 /);
  const tooLong: [before: string[], octets: string][] = [
    [["AUTH PLAIN"], `${longest}A\r\n`],
    [["AUTH LOGIN", base64("alice")], `${longest}A\r\n`],
    [[], `AUTH PLAIN ${"A".repeat(12_278)}\r\n`],
    [["AUTH PLAIN"], "A".repeat(1_000_000)],
    [[], `AUTH LOGIN ${"A".repeat(1_000_000)}`],
  ];
  for (const [before, octets] of tooLong) {
    using client = await helloTls(server);
    for (const line of before) await client.ask(line);
    client.send(octets);
    assert.match(await client.reply(), /^500 5\.5\.6 /);
    assert.equal(await client.rest(), "");
  }
  using plain = await hello(server);
  assert.match(
    await plain.ask(`AUTH PLAIN ${"A".repeat(2038)}`),
    /^421 4\.5\.2 /,
    "without TLS nothing grows",
  );
  assert.deepEqual(server.logIns, []);
});

test("nothing may come behind AUTH before its answer: it is refused, and the right password, too", async (t) => {
  const server = await startPort(t);
  for (const behind of ["MAIL FROM:<evil@b.test>\r\n", "half", `${base64("x")}\r\n`]) {
    for (const line of [RIGHT, "AUTH PLAIN", "AUTH LOGIN"]) {
      using client = await helloTls(server);
      client.send(`${line}\r\n${behind}`);
      assert.match(await client.reply(), /^554 5\.5\.0 /, line);
      assert.equal(await client.rest(), "");
    }
  }
  using client = await helloTls(server);
  await client.ask("AUTH LOGIN");
  client.send(`${base64("alice")}\r\n${base64("secret")}\r\n`);
  assert.match(await client.reply(), /^554 5\.5\.0 /);
  assert.deepEqual(server.mails, []);
  assert.deepEqual(server.logIns, []);
});

test("nor while the password is looked at", async (t) => {
  const answer = Promise.withResolvers<LoggedIn>();
  const askedFor = Promise.withResolvers<void>();
  const server = await startPort(
    t,
    {},
    {
      logIn() {
        askedFor.resolve();
        return answer.promise;
      },
    },
  );
  using client = await helloTls(server);
  client.send(`${RIGHT}\r\n`);
  await askedFor.promise;
  client.send("MAIL FROM:<evil@b.test>\r\nNOOP\r\n");
  // The server has it: what it wrote before is read, and it reads in turn.
  using other = await helloTls(server);
  await other.ask("NOOP");
  answer.resolve(alice);
  assert.match(await client.reply(), /^554 5\.5\.0 /);
  assert.equal(await client.rest(), "");
  assert.deepEqual(server.mails, []);
});

test("what came in plain text behind STARTTLS is no log-in and no mail", async (t) => {
  const server = await startPort(t);
  for (const behind of [`EHLO evil.test\r\n${RIGHT}\r\n`, "EHLO evil.test\r\nAUTH LOGIN\r\n"]) {
    using client = await hello(server);
    client.send(`STARTTLS\r\n${behind}`);
    await client.reply();
    using secret = await overTls(client);
    assert.match(await secret.ask("EHLO client.test"), /^250-mx\.test\n/);
    assert.match(await secret.ask("MAIL FROM:<a@b.test>"), /^530 /);
  }
  assert.deepEqual(server.logIns, []);
});

test("a client that leaves while its password is looked at hurts nobody, and is told nothing", async (t) => {
  const answer = Promise.withResolvers<LoggedIn>();
  const askedFor = Promise.withResolvers<void>();
  const server = await startPort(
    t,
    {},
    {
      logIn() {
        askedFor.resolve();
        return answer.promise;
      },
    },
  );
  const client = await helloTls(server);
  client.send(`${RIGHT}\r\n`);
  await askedFor.promise;
  client.socket.destroy();
  await within(gone(server, 0), "the end of the connection");
  answer.resolve(alice);
  using next = await hello(server);
  assert.match(await next.ask("NOOP"), /^250 /);
  assert.deepEqual(server.failures, []);
});

test("a log-in that fails for a bug is 451, and the bug is told", async (t) => {
  const server = await startPort(t, {}, { logIn: () => Promise.reject(new Error("a bug")) });
  using client = await helloTls(server);
  assert.match(await client.ask(RIGHT), /^451 4\.3\.0 /);
  assert.match(await client.ask("MAIL FROM:<a@b.test>"), /^530 /);
  assert.equal(server.failures.length, 1);
});

test("wrong passwords are errors of the client: too many end the session", async (t) => {
  const server = await startPort(t, { limits: { errors: 3 } });
  using client = await helloTls(server);
  for (let count = 0; count < 3; count++) assert.match(await client.ask(WRONG), /^535 /);
  assert.match(await client.ask(WRONG), /^421 4\.7\.0 /);
});

for (const wrong of ["AUTH=", "AUTH=a b", "AUTH=a+0g@b.test", "AUTH=a\x80", "AUTH", "AUTH=<> AUTH=<>"]) {
  test(`MAIL with ${JSON.stringify(wrong)} is refused`, async (t) => {
    using client = await loggedIn(await startPort(t));
    assert.match(await client.ask(`MAIL FROM:<a@b.test> ${wrong}`), /^5\d\d 5\./);
    assert.match(await client.ask("RCPT TO:<c@d.test> AUTH=<>"), /^5\d\d 5\.5\./);
    assert.match(await client.ask("MAIL FROM:<a@b.test> AUTH=e+3Dmc2@example.com"), /^250 /);
  });
}

test("where TLS comes first, the greeting comes over TLS, and all is as behind STARTTLS", async (t) => {
  const server = await startPort(t, { implicitTls: true });
  using client = await dialTls(server);
  assert.match(await client.reply(), /^220 mx\.test ESMTP/);
  const offered = await client.ask("EHLO client.test");
  assert.match(offered, /AUTH PLAIN LOGIN/);
  assert.doesNotMatch(offered, /STARTTLS/);
  assert.match(await client.ask("STARTTLS"), /^503 /);
  assert.match(await client.ask(RIGHT), /^235 /);
  assert.match(await client.ask("MAIL FROM:<a@b.test>"), /^250 /);
  assert.equal(server.mails[0]?.client.protocol, "ESMTPSA");
  assert.match(await client.ask("QUIT"), /^221 /);
  assert.equal(await client.rest(), "");
});

test("where TLS comes first, who speaks before the greeting is sent away", async (t) => {
  const server = await startPort(t, { implicitTls: true, greetDelayMs: 60_000 });
  using client = await dialTls(server);
  client.send("EHLO client.test\r\n");
  assert.match(await client.reply(), /^554 5\.5\.1 /);
  assert.equal(server.counts().talkedTooSoon, 1);
});

test("where TLS comes first, a client without a handshake is cut at the deadline, octet by octet, too", async (t) => {
  const limits = { commandSeconds: 0.5, stressSeconds: 0.5 };
  const server = await startPort(t, { implicitTls: true, limits });
  using silent = await dial(server);
  using slow = await dial(server);
  const begin = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".padEnd(200, "\0");
  let sent = 0;
  const drip = setInterval(() => slow.send(begin.charAt(sent++)), 50);
  t.after(() => clearInterval(drip));
  assert.equal(await silent.rest(), "");
  await slow.rest();
  clearInterval(drip);
  assert.equal(server.counts().tooSlow, 2);
  assert.deepEqual(server.failures, []);
});

test("where TLS comes first, plain text and resets leave nothing behind", async (t) => {
  const server = await startPort(t, { implicitTls: true });
  for (const octets of [
    "EHLO plain.test\r\n",
    "GET / HTTP/1.1\r\n\r\n",
    "\0".repeat(100),
    "\x16\x03\x01\x00\x05aaaaa",
  ]) {
    using client = await dial(server);
    client.send(octets);
    assert.doesNotMatch(await client.rest(), /220/);
  }
  const left = await dial(server);
  left.send("\x16\x03\x01\x02\x00");
  left.socket.resetAndDestroy();
  await within(gone(server, 0), "the end of the connections");
  assert.deepEqual(server.failures, []);
  using client = await dialTls(server);
  assert.match(await client.reply(), /^220 /);
});

test("a client that leaves in the middle of the handshake is gone at once, behind STARTTLS, too", async (t) => {
  const direct = await startPort(t, { implicitTls: true });
  const later = await startPort(t);
  const asked = await hello(later);
  await asked.ask("STARTTLS");
  for (const [server, client] of [
    [direct, await dial(direct)],
    [later, asked],
  ] as const) {
    client.send("\x16\x03\x01\x02\x00\x01");
    while (server.counts().clients < 1) await new Promise((resolve) => setImmediate(resolve));
    client.socket.end();
    await client.rest();
    await within(gone(server, 0), "the end of the connection");
    assert.deepEqual(server.failures, []);
  }
});

test("where TLS comes first, clients of one network are counted from their first moment", async (t) => {
  const server = await startPort(t, { implicitTls: true, limits: { clientsPerNetwork: 2 } });
  using one = await dial(server);
  using two = await dial(server);
  // Both are in: the server answers a handshake that comes behind them.
  while (server.counts().clients < 2) await new Promise((resolve) => setImmediate(resolve));
  using third = await dial(server);
  assert.equal(await third.rest(), "");
  assert.equal(server.counts().turnedAway, 1);
  one.socket.destroy();
  await within(gone(server, 1), "the end of one");
  using next = await dialTls(server);
  assert.match(await next.reply(), /^220 /);
  two.socket.destroy();
});

test("where TLS comes first, a PROXY header stands before the handshake", async (t) => {
  const server = await startPort(t, { implicitTls: true, proxyNetworks: blockList(["127.0.0.0/8"]) });
  const socket = connect(server.port, "127.0.0.1");
  await within(once(socket, "connect"), "a connection");
  socket.write("PROXY TCP4 192.0.2.9 192.0.2.1 4000 465\r\n");
  using client = await overTls(new Wire(socket));
  await client.reply();
  await client.ask("EHLO client.test");
  await client.ask(RIGHT);
  assert.equal(server.logIns[0]?.clientAddress, "192.0.2.9");
});

test("where TLS comes first, the server's end does not wait for handshakes, and idle clients hear 421", async (t) => {
  const server = await startPort(t, { implicitTls: true });
  using idle = await dialTls(server);
  await idle.reply();
  using shaking = await dial(server);
  while (server.counts().clients < 2) await new Promise((resolve) => setImmediate(resolve));
  const closed = server.close();
  assert.match(await idle.reply(), /^421 4\.3\.2 /);
  await shaking.rest();
  await within(closed, "the end of the server");
});

test("where TLS comes first, no server starts without a certificate", async (t) => {
  await assert.rejects(startRecorder(t, {}, { implicitTls: true }), /wants a certificate/);
});
