// The DSN extension (RFC 3461): what a sender asks with NOTIFY, RET, ENVID and ORCPT holds for the notifications that we write,
// and nothing of it goes on to the private address.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hello, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startWaitingHop } from "../packages/forwarder/src/testing/waiting-hop.ts";
import { storiesNeed } from "./harness/availability.ts";
import { freePort } from "./harness/free-port.ts";
import { startHomingService } from "./harness/homing.ts";
import { type InProcessForwarder, inProcessForwarder } from "./harness/in-process.ts";
import { startPostfix } from "./harness/postfix.ts";
import {
  ALIASES,
  ALICE,
  BOB,
  folder,
  LIST,
  limits,
  MESSAGE,
  PRIVATE,
  queued,
  type Setting,
  TRUSTED,
  until,
} from "./harness/trust-scene.ts";

const skip = (await storiesNeed("postfix")) ?? false;

/** A next hop that would take the parameters. */
const OFFERS_DSN = { EHLO: "250-hop.example\r\n250-8BITMIME\r\n250 DSN" };
const ASKED = "RET=FULL ENVID=Q+2B1";

interface Asking {
  readonly to?: string;
  readonly mail?: string;
  readonly rcpt: string;
  readonly from?: string;
}

/** The answer to the final dot, or to the command that was refused before. */
async function send(
  forwarder: { readonly port: number },
  { to = ALICE, mail = ASKED, rcpt, from = BOB }: Asking,
): Promise<string> {
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${from}> ${mail}`, `RCPT TO:<${to}> ${rcpt}`, "DATA"]) {
    const reply = await client.ask(command);
    if (!/^(?:250|354) /.test(reply)) return reply;
  }
  return await client.ask(`${MESSAGE}.`);
}

/** Mail of others has a next hop of its own, mail to its sender another. */
async function sites(
  t: Parameters<typeof folder>[0],
  bobPort: number,
  hopPort: number,
  setting: Setting = {},
) {
  return inProcessForwarder({
    aliases: ALIASES,
    routes: { "source.example": bobPort },
    nextHop: hopPort,
    stateFolder: await folder(t),
    ...TRUSTED,
    ...setting,
  });
}

function eventsOf({ events }: InProcessForwarder): string[] {
  return events.map(({ event }) => event).filter((event) => event !== "received" && event !== "forwarded");
}

test("NOTIFY=SUCCESS: the sender hears that the mail was relayed, by the alias, and the next hop is not asked to tell", async (t) => {
  await using hop = await startHop(OFFERS_DSN);
  await using bobs = await startHop();
  await using forwarder = await sites(t, bobs.port, hop.port);
  const rcpt = "NOTIFY=SUCCESS ORCPT=rfc822;Alice+2Bx@forwarder.example";
  assert.equal(await send(forwarder, { rcpt }), `250 2.0.0 <${ALICE}>: passed on`);
  await until(() => bobs.messages.length === 1, "the DSN is out");
  const dsn = String(bobs.messages[0]);
  assert.match(dsn, /^Original-Envelope-Id: Q\+1\r$/m);
  assert.match(
    dsn,
    /^Original-Recipient: rfc822; Alice\+x@forwarder\.example\r\nFinal-Recipient: rfc822; alice@forwarder\.example\r\nAction: relayed\r\nStatus: 2\.1\.5\r$/m,
  );
  assert.match(dsn, /^Subject: x\r$/m);
  assert.doesNotMatch(dsn, /Hello!/, "RET is for failures");
  assert.doesNotMatch(dsn, PRIVATE);
  const said = hop.commands.filter((line) => /^(?:MAIL|RCPT)/.test(line)).join("\n");
  assert.doesNotMatch(said, /RET|ENVID|NOTIFY|ORCPT/i);
  assert.ok(bobs.commands.some((line) => line.startsWith("MAIL FROM:<>")));
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
});

test("the DSN is on the disk before the client hears 250", async (t) => {
  await using hop = await startHop();
  await using bobs = await startHop({ RCPT: "450 4.2.1 later" });
  await using forwarder = await sites(t, bobs.port, hop.port);
  assert.match(await send(forwarder, { rcpt: "NOTIFY=SUCCESS" }), /^250 /);
  assert.equal(await queued(forwarder), 1);
  assert.ok(eventsOf(forwarder).indexOf("dsn") < eventsOf(forwarder).indexOf("answered"));
});

test("without room for the DSN the client hears 250 all the same, and the log says who is not told", async (t) => {
  await using hop = await startHop();
  await using bobs = await startHop();
  await using forwarder = await sites(t, bobs.port, hop.port, { minFreeOctets: 2 ** 52 });
  assert.match(await send(forwarder, { mail: "", rcpt: "NOTIFY=SUCCESS" }), /^250 /);
  const error = forwarder.events.find(({ event }) => event === "error");
  assert.match(
    String(error && "message" in error && error.message),
    /alice@forwarder\.example is delivered, /,
  );
  assert.equal(bobs.messages.length, 0);
});

for (const [what, setting, rcpt] of [
  ["a sender who may be forged", { trustedNetworks: [] }, "NOTIFY=SUCCESS"],
  ["a sender who asked for failures alone", {}, "NOTIFY=FAILURE"],
  ["a sender who asked for nothing", {}, "NOTIFY=NEVER"],
  ["a sender who said nothing", {}, "ORCPT=rfc822;x@y.example"],
] as const) {
  test(`${what} hears nothing of success`, async (t) => {
    await using hop = await startHop();
    await using bobs = await startHop();
    await using forwarder = await sites(t, bobs.port, hop.port, setting);
    assert.match(await send(forwarder, { rcpt }), /^250 2\.0\.0 /);
    assert.equal(hop.messages.length, 1);
    assert.equal(await queued(forwarder), 0);
    assert.deepEqual(eventsOf(forwarder), ["delivered", "answered"]);
  });
}

test("an alias of several destinations: one DSN says that it was expanded, and no copy is told of", async (t) => {
  await using hop = await startHop();
  await using bobs = await startHop();
  await using forwarder = await sites(t, bobs.port, hop.port);
  assert.match(await send(forwarder, { to: LIST, rcpt: "NOTIFY=SUCCESS,FAILURE" }), /^250 /);
  await until(() => hop.messages.length === 2 && bobs.messages.length === 1, "all is out");
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
  const [dsn] = bobs.messages.map(String);
  assert.match(dsn ?? "", /^Final-Recipient: rfc822; list@forwarder\.example\r\nAction: expanded\r$/m);
  assert.doesNotMatch(dsn ?? "", PRIVATE);
  assert.equal(bobs.messages.length, 1);
});

test("an alias of several destinations: after the expansion the sender hears of failures", async (t) => {
  await using hop = await startHop({ RCPT: "550 5.2.1 hidden@club.example and private@home.example" });
  await using bobs = await startHop();
  await using forwarder = await sites(t, bobs.port, hop.port);
  const mail = "RET=HDRS";
  assert.match(await send(forwarder, { to: LIST, mail, rcpt: "NOTIFY=SUCCESS,FAILURE" }), /^250 /);
  const actions = (): string[] =>
    bobs.messages.map((dsn) => /^Action: (\w+)/m.exec(String(dsn))?.[1] ?? "").sort();
  await until(() => actions().includes("failed"), "a failure is told");
  assert.equal(actions().filter((action) => action === "expanded").length, 1);
  assert.ok(!actions().includes("relayed"));
});

test("kept in the queue, and taken then: the sender hears of it once", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using bobs = await startHop();
  await using forwarder = await sites(t, bobs.port, hop.port, { timeLimit: time.timeLimit });
  const reply = send(forwarder, { rcpt: "NOTIFY=SUCCESS" });
  await until(() => hop.messages.length === 1, "the next hop has the message");
  time.end(15);
  assert.equal(await reply, "250 2.0.0 kept, and on its way");
  assert.equal(bobs.messages.length, 0);
  hop.answer();
  await until(() => bobs.messages.length === 1, "the DSN is out");
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
  assert.match(String(bobs.messages[0]), /^Action: relayed\r$/m);
  assert.equal(bobs.messages.length, 1);
});

for (const [rcpt, told] of [
  ["NOTIFY=FAILURE", 1],
  ["NOTIFY=SUCCESS,DELAY", 0],
  ["NOTIFY=NEVER", 0],
] as const) {
  test(`${rcpt}, kept in the queue, and refused then: ${told} DSN`, async (t) => {
    await using hop = await startHop({ RCPT: "554 5.7.1 private@home.example says no" });
    await using bobs = await startHop();
    await using forwarder = await sites(t, bobs.port, hop.port, { spoolFirst: true });
    assert.match(await send(forwarder, { rcpt }), /^250 /);
    await until(() => eventsOf(forwarder).includes("given-up"), "it is given up");
    await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
    assert.equal(bobs.messages.length, told);
    const [dsn = ""] = bobs.messages.map(String);
    assert.doesNotMatch(dsn, PRIVATE);
    if (told === 0) return;
    assert.match(dsn, /^Diagnostic-Code: smtp; 554 5\.7\.1\r$/m);
    assert.match(dsn, /^Content-Type: message\/rfc822\r$/m);
    assert.match(dsn, /^Hello!\r$/m);
  });
}

test("a client that is gone when its mail is delivered: its next try is told, and its sender once", async (t) => {
  await using hop = await startWaitingHop();
  await using bobs = await startHop();
  await using forwarder = await sites(t, bobs.port, hop.port);
  {
    using client = await hello({ host: "127.0.0.1", port: forwarder.port });
    for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}> NOTIFY=SUCCESS`, "DATA"])
      assert.match(await client.ask(command), /^(?:250|354) /);
    client.send(`${MESSAGE}.\r\n`);
    await until(() => hop.messages.length === 1, "the next hop has the message");
    client.socket.resetAndDestroy();
    await once(client.socket, "close");
  }
  await sleep(20);
  hop.answer();
  await until(() => forwarder.state?.late.any() === true, "the success is recorded");
  assert.equal(await queued(forwarder), 0);
  assert.match(await send(forwarder, { mail: "", rcpt: "NOTIFY=SUCCESS" }), /^250 /);
  await until(() => bobs.messages.length === 1, "the DSN is out");
  assert.equal(hop.messages.length, 1);
  assert.equal(eventsOf(forwarder).filter((event) => event === "dsn").length, 1);
});

test("an SRS address takes the parameters, as Postfix gives them with its own bounces", async (t) => {
  await using hop = await startHop();
  await using forwarder = await sites(t, hop.port, hop.port);
  assert.match(await send(forwarder, { mail: "", rcpt: "" }), /^250 /);
  const srs = /^MAIL FROM:<([^>]*)>/m.exec(hop.commands.join("\n"))?.[1] ?? "";
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  assert.match(await client.ask("MAIL FROM:<> SIZE=5000 BODY=8BITMIME SMTPUTF8"), /^250 /);
  const orcpt = `ORCPT=rfc822;${srs.replaceAll("=", "+3D")}`;
  assert.match(await client.ask(`RCPT TO:<${srs}> ${orcpt} NOTIFY=NEVER`), /^250 /);
});

test("mail that stays on the site: the sender hears that it was delivered", async (t) => {
  const mailboxes = await folder(t);
  await using bobs = await startHop();
  await using service = await startHomingService({
    secret: "a secret of this story alone",
    aliases: "alice: alice\n",
    config: `
hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
stateDirectory: state
trustedNetworks: [127.0.0.1]
srs: { domain: srs.forwarder.example, secretsFile: secrets }
localDelivery: { store: "maildir:${mailboxes}/{user}" }
delivery: { smartHost: "127.0.0.1:${bobs.port}" }
`,
  });
  assert.match(await send(service, { rcpt: "NOTIFY=SUCCESS" }), /^250 /);
  await until(() => bobs.messages.length === 1, "the DSN is out");
  assert.match(
    String(bobs.messages[0]),
    /^Final-Recipient: rfc822; alice@forwarder\.example\r\nAction: delivered\r$/m,
  );
  assert.equal((await readdir(join(mailboxes, "alice/new"))).length, 1);
});

test("a real Postfix asks for success and failure: each comes home, by the alias and with its own names", {
  skip,
}, async () => {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const relayHost = `[127.0.0.1]:${port}`;
  const [source, destination] = await Promise.all([
    startPostfix({
      hostname: "source.example",
      destinations: ["source.example"],
      relayHost,
      mailboxes: ["bob"],
    }),
    startPostfix({
      hostname: "home.example",
      destinations: ["home.example"],
      mailboxes: ["private-alice"],
      settings: { local_recipient_maps: "inline:{private-alice=x}" },
    }),
  ]);
  stack.use(source);
  stack.use(destination);
  stack.use(
    await startHomingService({
      secret: "a secret of this story alone",
      aliases: "alice: private-alice@home.example\ngone: private-gone@home.example\n",
      config: `
hostname: mx.forwarder.example
listen: 127.0.0.1:${port}
domains: [forwarder.example]
aliasesFile: aliases
stateDirectory: state
trustedNetworks: [127.0.0.1]
srs: { domain: forwarder.example, secretsFile: secrets }
delivery:
  acceptance: spooled
  routes:
    source.example: 127.0.0.1:${source.port}
    home.example: 127.0.0.1:${destination.port}
`,
    }),
  );
  for (const alias of ["alice", "gone"]) {
    const options = ["-N", "success,failure", "-R", "hdrs", "-V", `letter+${alias}`];
    const argv = ["sendmail", "-i", "-f", BOB, ...options, "--", `${alias}@forwarder.example`];
    const { code, stderr } = await source.run(argv, { input: `Subject: to ${alias}\n\nthe body\n` });
    assert.equal(code, 0, stderr);
  }
  await destination.mail("private-alice");
  const dsns = (await source.mail("bob", { count: 2 })).map(String).sort();
  const told = dsns.map((dsn) => ({
    envid: /^Original-Envelope-Id: (.*)$/m.exec(dsn)?.[1],
    original: /^Original-Recipient: (.*)$/m.exec(dsn)?.[1],
    final: /^Final-Recipient: (.*)$/m.exec(dsn)?.[1],
    action: /^Action: (.*)$/m.exec(dsn)?.[1],
    status: /^Status: (.*)$/m.exec(dsn)?.[1],
    diagnostic: /^Diagnostic-Code: (.*)$/m.exec(dsn)?.[1],
  }));
  assert.deepEqual(
    told.toSorted((a, b) => `${a.action}`.localeCompare(`${b.action}`)),
    [
      {
        envid: "letter+gone",
        original: "rfc822; gone@forwarder.example",
        final: "rfc822; gone@forwarder.example",
        action: "failed",
        status: "5.1.1",
        diagnostic: "smtp; 550 5.1.1",
      },
      {
        envid: "letter+alice",
        original: "rfc822; alice@forwarder.example",
        final: "rfc822; alice@forwarder.example",
        action: "relayed",
        status: "2.1.5",
        diagnostic: undefined,
      },
    ],
  );
  for (const dsn of dsns) assert.doesNotMatch(dsn, /private-|home\.example|the body/);
});
