// What a client may write in MAIL and RCPT, and what the handler gets of it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, NULL_PATH, type ReversePath } from "@homing/srs-core";
import { startRecorder } from "./testing/recorder.ts";
import { greeted, hello } from "./testing/smtp-peers.ts";

const at = (localPart: string, domain = "x.test"): Mailbox => ({ localPart, domain });
/** As octets on the wire. */
const utf8 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

const paths: [path: string, mailbox: Mailbox][] = [
  ["<bob@x.test>", at("bob")],
  ["<Bob@X.Test>", at("Bob", "X.Test")],
  [" <bob@x.test> ", at("bob")],
  ['<"a b"@x.test>', at("a b")],
  ['<"a@b"@x.test>', at("a@b")],
  ['<"a>b"@x.test>', at("a>b")],
  ['<"a<b"@x.test>', at("a<b")],
  ['<"a\\"b"@x.test>', at('a"b')],
  ['<"a:b,c"@x.test>', at("a:b,c")],
  ["<a..b.@x.test>", at("a..b.")],
  ["<a=b+c#d@x.test>", at("a=b+c#d")],
  ["<@relay.test:bob@x.test>", at("bob")],
  ["<@relay.test,@two.test:bob@x.test>", at("bob")],
  ['<@relay.test:"a:b"@x.test>', at("a:b")],
  ["<bob@xn--bcher-kva.test>", at("bob", "xn--bcher-kva.test")],
  ["<bob@XN--BCHER-KVA.test>", at("bob", "XN--BCHER-KVA.test")],
  ["<bob@a_b.test>", at("bob", "a_b.test")],
  ["<bob@[192.0.2.1]>", at("bob", "[192.0.2.1]")],
  ["<bob@[IPv6:2001:db8::1]>", at("bob", "[IPv6:2001:db8::1]")],
];
for (const [path, mailbox] of paths) {
  test(`${path} is read, in MAIL as in RCPT`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    assert.equal(await client.ask(`MAIL FROM:${path}`), "250 2.1.0 Accepted");
    assert.equal(await client.ask(`rcpt to:${path}`), "250 2.1.5 Accepted");
    assert.deepEqual(server.mails[0]?.reversePath, mailbox);
    assert.deepEqual(server.recipients, [mailbox]);
  });
}

const badPaths: [path: string, mail: string, rcpt: string][] = [
  ["<bob>", "553 5.1.7", "553 5.1.3"],
  ["<bob@>", "553 5.1.7", "553 5.1.3"],
  ["<bob@x..test>", "553 5.1.7", "553 5.1.3"],
  ["<a b@x.test>", "553 5.1.7", "553 5.1.3"],
  ["<a@b@x.test>", "553 5.1.7", "553 5.1.3"],
  ["<bob@x=y.test>", "553 5.1.7", "553 5.1.3"],
  ["<bob\0@x.test>", "553 5.1.7", "553 5.1.3"],
  ['<"a\rb"@x.test>', "553 5.1.7", "553 5.1.3"],
  ["<bob@x.test>\r", "501 5.1.7", "501 5.1.3"],
  [`<${"b".repeat(248)}@x.test>`, "553 5.1.7", "553 5.1.3"],
  ["bob@x.test", "501 5.1.7", "501 5.1.3"],
  ["<bob@x.test", "501 5.1.7", "501 5.1.3"],
  ["<<bob@x.test>>", "501 5.1.7", "501 5.1.3"],
  ["<bob@x.test>SIZE=1", "501 5.1.7", "501 5.1.3"],
  ["", "501 5.1.7", "501 5.1.3"],
];
for (const [path, mail, rcpt] of badPaths) {
  test(`${JSON.stringify(path).slice(0, 40)} is refused: MAIL ${mail}, RCPT ${rcpt}`, async (t) => {
    using client = await hello(await startRecorder(t));
    assert.equal((await client.ask(`MAIL FROM:${path}`)).slice(0, 9), mail);
    await client.ask("MAIL FROM:<>");
    assert.equal((await client.ask(`RCPT TO:${path}`)).slice(0, 9), rcpt);
  });
}

test("MAIL FROM:<> is the null path, and a value of its own", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  assert.equal(await client.ask("MAIL FROM:<>"), "250 2.1.0 Accepted");
  assert.equal(server.mails[0]?.reversePath, NULL_PATH);
});

test("RCPT TO:<postmaster> needs no domain, and no other name goes without", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  assert.match(await client.ask("MAIL FROM:<postmaster>"), /^553 5\.1\.7 /);
  await client.ask("MAIL FROM:<>");
  assert.equal(await client.ask("RCPT TO:<Postmaster>"), "250 2.1.5 Accepted");
  assert.deepEqual(server.recipients, [at("Postmaster", "mx.test")]);
  assert.match(await client.ask("RCPT TO:<abuse>"), /^553 5\.1\.3 /);
});

const parameters: [line: string, code: string][] = [
  ["MAIL FROM:<a@x.test> BODY=8BITMIME SIZE=100000 SMTPUTF8", "250 2.1.0"],
  ["MAIL FROM:<a@x.test>  size=5   body=7bit", "250 2.1.0"],
  ["MAIL FROM:<a@x.test> SIZE=100001", "552 5.3.4"],
  ["MAIL FROM:<a@x.test> SIZE=1 SIZE=1", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> BODY=7BIT body=8BITMIME", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> SIZE=many", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> SIZE", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> BODY=BINARYMIME", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> SMTPUTF8=yes", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> AUTH=<>", "555 5.5.4"],
  ["MAIL FROM:<a@x.test> RET=HDRS ENVID=x", "250 2.1.0"],
  ["MAIL FROM:<> SIZE=5 BODY=8BITMIME SMTPUTF8 ret=full envid=Q+2B1", "250 2.1.0"],
  ["MAIL FROM:<a@x.test> RET=ALL", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> RET", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> RET=", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> RET=HDRS ret=HDRS", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> ENVID=a+0A", "501 5.5.4"],
  [`MAIL FROM:<a@x.test> ENVID=${"x".repeat(101)}`, "501 5.5.4"],
  ["MAIL FROM:<a@x.test> ENVID=x ENVID=x", "501 5.5.4"],
  ["MAIL FROM:<a@x.test> NOTIFY=NEVER", "555 5.5.4"],
  ["MAIL FROM:<a@x.test> ORCPT=rfc822;a@x.test", "555 5.5.4"],
  ["MAIL FROM:<a@x.test> REQUIRETLS", "555 5.5.4"],
  ["MAIL FROM:<a@x.test> SIZE=1 X-OTHER", "555 5.5.4"],
  ["MAIL FROM:<a@x.test> constructor=1", "555 5.5.4"],
  ["MAIL FROM:<a@x.test> =1", "501 5.1.7"],
  ["RCPT TO:<b@x.test> NOTIFY=NEVER", "250 2.1.5"],
  ["RCPT TO:<b@x.test> ORCPT=rfc822;SRS0+3Db@x.test Notify=success,Failure", "250 2.1.5"],
  ["RCPT TO:<b@x.test> NOTIFY=NEVER,FAILURE", "501 5.5.4"],
  ["RCPT TO:<b@x.test> NOTIFY", "501 5.5.4"],
  ["RCPT TO:<b@x.test> NOTIFY=FAILURE NOTIFY=FAILURE", "501 5.5.4"],
  ["RCPT TO:<b@x.test> ORCPT=b@x.test", "501 5.5.4"],
  ["RCPT TO:<b@x.test> ORCPT=rfc822;b@x.test ORCPT=rfc822;b@x.test", "501 5.5.4"],
  [`RCPT TO:<b@x.test> ORCPT=rfc822;${"x".repeat(494)}`, "501 5.5.4"],
  ["RCPT TO:<b@x.test> RET=FULL", "555 5.5.4"],
  ["RCPT TO:<b@x.test> ENVID=x", "555 5.5.4"],
  ["RCPT TO:<b@x.test> BODY=8BITMIME", "555 5.5.4"],
  ["RCPT TO:<b@x.test> __proto__=1", "501 5.1.3"],
];
for (const [line, code] of parameters) {
  test(`${line} is answered ${code}`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    if (line.startsWith("RCPT")) await client.ask("MAIL FROM:<>");
    assert.equal((await client.ask(line)).slice(0, 9), code);
    if (!code.startsWith("250")) assert.equal(server.recipients.length, 0);
    assert.match(await client.ask("RSET"), /^250 /);
  });
}

test("the handler is told who speaks, how, and what the client promised about the content", async (t) => {
  const server = await startRecorder(t);
  using client = await greeted(server);
  const said: [hello: string, mail: string, protocol: string, eightBit: boolean, smtpUtf8: boolean][] = [
    ["HELO old.test", "MAIL FROM:<>", "SMTP", false, false],
    ["EHLO client.test", "MAIL FROM:<>", "ESMTP", false, false],
    ["EHLO client.test", "MAIL FROM:<> BODY=8BITMIME", "ESMTP", true, false],
    ["EHLO client.test", "MAIL FROM:<> SMTPUTF8", "UTF8SMTP", false, true],
  ];
  for (const [greeting, mail, protocol, eightBit, smtpUtf8] of said) {
    await client.ask(greeting);
    await client.ask(mail);
    const command = server.mails.pop();
    assert.deepEqual(
      [command?.client.protocol, command?.eightBit, command?.smtpUtf8],
      [protocol, eightBit, smtpUtf8],
    );
    assert.equal(command?.client.helo, greeting.slice(5));
    assert.equal(command?.client.address, "127.0.0.1");
    assert.match(command?.client.session ?? "", /./);
  }
});

test("what is asked of the DSN extension reaches the handler, values as they came", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  await client.ask("MAIL FROM:<a@x.test> ret=Full envid=Q+2B1");
  await client.ask("RCPT TO:<b@x.test> notify=Delay,success ORCPT=RFC822;B+2Bx@X.test");
  await client.ask("RCPT TO:<c@x.test> NOTIFY=NEVER");
  await client.ask("RCPT TO:<d@x.test>");
  assert.deepEqual(server.mails[0]?.dsn, { ret: "full", envid: "Q+2B1" });
  assert.deepEqual(server.asked, [
    { notify: ["success", "delay"], orcpt: "RFC822;B+2Bx@X.test" },
    { notify: "never" },
    undefined,
  ]);
});

test("what one MAIL asked does not hold for the next one", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  await client.ask("MAIL FROM:<a@x.test> RET=FULL ENVID=x");
  await client.ask("RSET");
  await client.ask("MAIL FROM:<a@x.test>");
  assert.ok(server.mails[1] && !("dsn" in server.mails[1]));
});

test("ORCPT has UTF-8 as it is over SMTPUTF8 alone", async (t) => {
  const server = await startRecorder(t);
  using client = await hello(server);
  const rcpt = utf8("RCPT TO:<b@x.test> ORCPT=utf-8;jörg@x.test");
  await client.ask("MAIL FROM:<>");
  assert.match(await client.ask(rcpt), /^501 5\.5\.4 /);
  await client.ask("RSET");
  await client.ask("MAIL FROM:<> SMTPUTF8");
  assert.match(await client.ask(rcpt), /^250 /);
  assert.deepEqual(server.asked, [{ orcpt: "utf-8;jörg@x.test" }]);
});

test("what a refused MAIL promised does not hold for the next one", async (t) => {
  let first = true;
  const server = await startRecorder(t, {
    mail: () => {
      const code = first ? 550 : 250;
      first = false;
      return { code, enhanced: "5.7.1", text: "no" };
    },
  });
  using client = await hello(server);
  assert.match(await client.ask("MAIL FROM:<a@x.test> BODY=8BITMIME SMTPUTF8"), /^550 /);
  assert.match(await client.ask("MAIL FROM:<b@x.test>"), /^250 /);
  const [command] = server.mails;
  assert.deepEqual([command?.eightBit, command?.smtpUtf8], [false, false]);
});

const international: [address: string, mailbox: ReversePath][] = [
  ["<jörg@x.test>", at("jörg")],
  ["<bob@bücher.test>", at("bob", "xn--bcher-kva.test")],
  ['<"用 户"@例子.test>', at("用 户", "xn--fsqu00a.test")],
];
for (const [path, mailbox] of international) {
  test(`${path} needs SMTPUTF8 (553 5.6.7), and is read with it`, async (t) => {
    const server = await startRecorder(t);
    using client = await hello(server);
    assert.match(await client.ask(`MAIL FROM:${utf8(path)}`), /^553 5\.6\.7 /);
    await client.ask("MAIL FROM:<>");
    assert.match(await client.ask(`RCPT TO:${utf8(path)}`), /^553 5\.6\.7 /);
    await client.ask("RSET");
    assert.match(await client.ask(`MAIL FROM:${utf8(path)} SMTPUTF8`), /^250 2\.1\.0 /);
    assert.match(await client.ask(`RCPT TO:${utf8(path)}`), /^250 2\.1\.5 /);
    assert.deepEqual(server.mails.at(-1)?.reversePath, mailbox);
    assert.equal(server.mails.at(-1)?.client.protocol, "UTF8SMTP");
    assert.deepEqual(server.recipients, [mailbox]);
  });
}

for (const octets of ["\xff", "\xc3", "\xc3\x28", "\xed\xa0\x80", "\xc0\xaf"]) {
  test(`octets that are no UTF-8 are refused in an address: ${Buffer.from(octets, "latin1").toString("hex")}`, async (t) => {
    using client = await hello(await startRecorder(t));
    assert.match(await client.ask(`MAIL FROM:<b${octets}b@x.test> SMTPUTF8`), /^553 5\.1\.7 /);
    await client.ask("MAIL FROM:<> SMTPUTF8");
    assert.match(await client.ask(`RCPT TO:<bob@b${octets}b.test>`), /^553 5\.1\.3 /);
  });
}
