// The privacy oracle: whatever goes wrong, no octet that we send to the client holds the private address behind an
// alias, nor the name of its server. The next hop here says both in every reply, as real ones do.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import type { MxAnswer, MxResolver } from "@homing/forwarder";
import { renderMailbox } from "@homing/srs-core";
import {
  type Answers,
  FIN,
  greeted,
  SILENCE,
  sendMessage,
  startHop,
  transact,
} from "../packages/forwarder/src/testing/smtp-peers.ts";
import { remoteBounce } from "./harness/bounce-peers.ts";
import { inProcessForwarder, NOW } from "./harness/in-process.ts";
import { waitFor } from "./harness/wait.ts";

const MESSAGE = "From: bob@source.example\r\nSubject: hello\r\n\r\nHello!\r\n";
const unique = (): string => randomBytes(9).toString("hex");

interface Secretive {
  readonly user: string;
  readonly domain: string;
  readonly address: string;
}

function privateAddress(): Secretive {
  const [user, domain] = [`u${unique()}`, `d${unique()}.example`];
  return { user, domain, address: `${user}@${domain}` };
}

/** Without PIPELINING: one failure at a time. */
const ONE_BY_ONE = "250-hop\r\n250-8BITMIME\r\n250 SMTPUTF8";

/** Each failure of the next hop, and how our answer must begin. */
const failures: [what: string, hopSays: (secret: Secretive) => Answers, answer: RegExp][] = [
  [
    "a 5xx greeting",
    ({ domain }) => ({ greeting: `554 5.7.1 ${domain} does not like you` }),
    /^451 4\.7\.1 /,
  ],
  ["a 421 greeting", ({ domain }) => ({ greeting: `421 4.3.2 ${domain} is busy` }), /^451 4\.3\.2 /],
  ["no greeting", () => ({ greeting: FIN }), /^451 4\.4\.1 /],
  [
    "EHLO and HELO refused",
    ({ domain }) => ({ EHLO: `550 ${domain} go away`, HELO: `550 ${domain} go away` }),
    /^451 4\.0\.0 /,
  ],
  ["a lost connection at MAIL", () => ({ MAIL: FIN }), /^451 4\.4\.2 /],
  ["MAIL refused", ({ address }) => ({ MAIL: `550 5.7.23 SPF of ${address}` }), /^550 5\.7\.23 /],
  [
    "the recipient unknown",
    ({ address }) => ({ RCPT: `550 5.1.1 <${address}>: no such user` }),
    /^550 5\.1\.1 /,
  ],
  ["no enhanced code", ({ address }) => ({ RCPT: `550 ${address} unknown` }), /^550 5\.0\.0 /],
  [
    "several lines",
    ({ user, domain }) => ({ RCPT: `552-5.2.2 ${user}\r\n552 5.2.2 ${domain} full` }),
    /^552 5\.2\.2 /,
  ],
  ["moved, with the new address", ({ address }) => ({ RCPT: `551 5.1.6 try <${address}>` }), /^550 5\.1\.6 /],
  ["greylisting", ({ address }) => ({ RCPT: `450 4.2.0 <${address}> greylisted` }), /^450 4\.2\.0 /],
  ["a 421 at RCPT", ({ domain }) => ({ RCPT: `421 4.7.0 ${domain} closing` }), /^451 4\.7\.0 /],
  ["DATA refused", ({ address }) => ({ DATA: `554 5.5.1 no ${address}` }), /^554 5\.5\.1 /],
  ["the content refused", ({ address }) => ({ dot: `554 5.7.26 DMARC of ${address}` }), /^554 5\.7\.26 /],
  ["deferred at the dot", ({ address }) => ({ dot: `452 4.2.2 <${address}> over quota` }), /^452 4\.2\.2 /],
  ["a lost connection at the dot", () => ({ dot: FIN }), /^451 4\.4\.2 /],
  ["nonsense for a reply", ({ address }) => ({ dot: `what? ${address}` }), /^451 4\.4\.2 /],
];

for (const [what, hopSays, answer] of failures) {
  test(`next hop: ${what}: the client learns class and code, and nothing of the private address`, async () => {
    const secret = privateAddress();
    await using hop = await startHop({ EHLO: ONE_BY_ONE, ...hopSays(secret) });
    await using forwarder = await inProcessForwarder({
      aliases: `alice: ${secret.address}`,
      nextHop: hop.port,
    });
    using client = await greeted(forwarder);
    const reply = await transact(client, {
      from: "bob@source.example",
      to: "alice@forwarder.example",
      message: MESSAGE,
    });
    assert.match(reply, answer);
    assert.match(reply, /<alice@forwarder\.example>/, "the words name the alias");
    assertSilent(client.heard(), secret, hop.port);
    const logged = forwarder.events.find((event) => event.event === "not-delivered");
    assert.equal(logged?.target, secret.address, "the log has it all");
  });
}

const dnsFailures: [what: string, mx: (secret: Secretive) => MxAnswer, answer: RegExp][] = [
  ["a domain that does not exist", () => ({ kind: "no-such-domain" }), /^550 5\.1\.2 /],
  ["a null MX", () => ({ kind: "records", records: [{ exchange: "", priority: 0 }] }), /^550 5\.1\.10 /],
  ["DNS out of order", ({ domain }) => ({ kind: "failed", cause: `SERVFAIL ${domain}` }), /^451 4\.4\.3 /],
  [
    "an MX that has no address",
    ({ domain }) => ({
      kind: "records",
      records: [{ exchange: `${domain.split(".")[0]}.invalid`, priority: 0 }],
    }),
    /^451 4\.4\.4 /,
  ],
];
const NO_ADDRESS: MxResolver["addresses"] = async () => ({ kind: "addresses", addresses: [] });

for (const [what, mx, answer] of dnsFailures) {
  test(`next hop: ${what}: the client learns class and code, and nothing of the private domain`, async () => {
    const secret = privateAddress();
    const resolver = { mx: async () => mx(secret), addresses: NO_ADDRESS };
    await using forwarder = await inProcessForwarder({ aliases: `alice: ${secret.address}`, resolver });
    using client = await greeted(forwarder);
    assert.match(
      await transact(client, { from: "bob@source.example", to: "alice@forwarder.example", message: MESSAGE }),
      answer,
    );
    assertSilent(client.heard(), secret);
  });
}

test("nobody listens at the next hop: 451, and nothing of the private address", async () => {
  const secret = privateAddress();
  const { port } = await closedHop();
  await using forwarder = await inProcessForwarder({ aliases: `alice: ${secret.address}`, nextHop: port });
  using client = await greeted(forwarder);
  const reply = await transact(client, {
    from: "bob@source.example",
    to: "alice@forwarder.example",
    message: MESSAGE,
  });
  assert.match(reply, /^451 4\.4\.1 <alice@forwarder\.example>: cannot be delivered just now/);
  assertSilent(client.heard(), secret, port);
});

test("a bounce that cannot be taken home: the bouncing server learns nothing but the SRS address that it used", async () => {
  const secret = privateAddress();
  await using hop = await startHop({
    EHLO: ONE_BY_ONE,
    RCPT: `550 5.1.1 <${secret.address}> unknown at ${secret.domain}`,
  });
  await using forwarder = await inProcessForwarder({
    aliases: `alice: ${secret.address}`,
    nextHop: hop.port,
  });
  const outcome = forwarder.rewriter.forward({ localPart: "bob", domain: "source.example" }, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  const to = renderMailbox(outcome.sender);
  using client = await greeted(forwarder);
  const bounce = remoteBounce({ target: secret.address });
  const reply = await transact(client, { from: "", to, message: bounce });
  assert.ok(reply.startsWith(`550 5.1.1 <${to}>: `), reply);
  assertSilent(client.heard(), secret, hop.port);
});

test("a bounce on its way home: what we add to it does not say which server it came from", async () => {
  const secret = privateAddress();
  await using home = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: `alice: ${secret.address}`,
    nextHop: home.port,
  });
  const outcome = forwarder.rewriter.forward({ localPart: "bob", domain: "source.example" }, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  using client = await greeted(forwarder);
  await client.ask(`EHLO mx.${secret.domain}`);
  await client.ask("MAIL FROM:<>");
  await client.ask(`RCPT TO:<${renderMailbox(outcome.sender)}>`);
  assert.match(await sendMessage(client, remoteBounce({ target: secret.address })), /^250 /);
  const [bounce = Buffer.alloc(0)] = home.messages;
  assertSilent(Buffer.concat([Buffer.from(home.commands.join("\n")), bounce]), secret);
  assert.doesNotMatch(String(bounce), /127\.0\.0\.1/);
});

test("a next hop that outlasts the client's patience: 451 in time, and nothing of the private address", async () => {
  const secret = privateAddress();
  const patience = new AbortController();
  await using hop = await startHop({ dot: SILENCE });
  await using forwarder = await inProcessForwarder({
    aliases: `alice: ${secret.address}`,
    nextHop: hop.port,
    timeIsUp: patience.signal,
  });
  using client = await greeted(forwarder);
  const reply = transact(client, {
    from: "bob@source.example",
    to: "alice@forwarder.example",
    message: MESSAGE,
  });
  await waitFor(() => hop.messages.length > 0 || undefined, { seconds: 10, otherwise: () => "no message" });
  patience.abort();
  assert.match(await reply, /^451 4\.4\.2 <alice@forwarder\.example>: /);
  assertSilent(client.heard(), secret, hop.port);
});

test("an alias with several targets: success of one is success, and no failure of the others shows", async () => {
  const [first, second] = [privateAddress(), privateAddress()];
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: `alice: ${first.address}, ${second.address}`,
    resolver: { mx: async () => ({ kind: "no-such-domain" }), addresses: NO_ADDRESS },
  });
  using both = await greeted(forwarder);
  const toAlice = { from: "bob@source.example", to: "alice@forwarder.example", message: MESSAGE };
  assert.match(await transact(both, toAlice), /^550 5\.1\.2 /, "all failed");
  for (const secret of [first, second]) assertSilent(both.heard(), secret);

  await using half = await inProcessForwarder({
    aliases: `alice: ${first.address}, ${second.address}`,
    routes: { [second.domain]: hop.port },
    resolver: { mx: async () => ({ kind: "no-such-domain" }), addresses: NO_ADDRESS },
  });
  using client = await greeted(half);
  assert.match(await transact(client, toAlice), /^250 2\.0\.0 <alice@forwarder\.example>: passed on$/);
  assert.deepEqual(
    hop.commands.filter((line) => line.startsWith("RCPT")),
    [`RCPT TO:<${second.address}>`],
  );
  for (const secret of [first, second]) assertSilent(client.heard(), secret, hop.port);
  const lost = half.events.find((event) => event.event === "not-delivered");
  assert.equal(lost?.target, first.address, "the failure is in the log");
});

function assertSilent(heard: Buffer, secret: Secretive, port?: number): void {
  const text = heard.toString("latin1").toLowerCase();
  const label = secret.domain.split(".")[0] ?? "";
  for (const word of [secret.user, label, ...(port === undefined ? [] : [`:${port}`])]) {
    assert.ok(word.length > 4 && !text.includes(word), `the client heard ${word} in: ${text}`);
  }
}

async function closedHop(): Promise<{ readonly port: number }> {
  const hop = await startHop();
  await hop[Symbol.asyncDispose]();
  return { port: hop.port };
}
