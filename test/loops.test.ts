// Mail that goes in a circle: it is stopped where it passes the same alias again, in the session that brought it, and
// the one DSN that some server then writes comes home. ADR 0016.
import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMailbox } from "@homing/srs-core";
import { greeted, type Hop, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { storiesNeed } from "./harness/availability.ts";
import { remoteBounce } from "./harness/bounce-peers.ts";
import { freePort } from "./harness/free-port.ts";
import { type HomingService, startHomingService } from "./harness/homing.ts";
import { inProcessForwarder, NOW } from "./harness/in-process.ts";
import { startPostfix } from "./harness/postfix.ts";

const skip = (await storiesNeed("postfix")) ?? false;

const MESSAGE = "Message-ID: <1@source.example>\r\nFrom: bob@source.example\r\nSubject: x\r\n\r\nHello!\r\n";
const ALICE = "alice@forwarder.example";
const CAROL = "carol@forwarder.example";
const ALIASES = "alice: a@home.example\ncarol: c@home.example\n";
const SEEN = /^554 5\.4\.6 the message was here for this address before/;
const TAKEN = /^250 /;

/** What the server behind the alias does with a message before it sends it back to us. */
const circles: [what: string, change: (message: string) => string, to: string, answer: RegExp][] = [
  ["as it is", (message) => message, ALICE, SEEN],
  ["to the alias in another case", (message) => message, "Alice@FORWARDER.example", SEEN],
  ["with fields of other servers", (message) => `Received: from a by b; x\r\n${message}`, ALICE, SEEN],
  ["with a Delivered-To on top", (message) => `Delivered-To: a@home.example\r\n${message}`, ALICE, SEEN],
  ["with its header block in upper case", upperCaseHeader, ALICE, SEEN],
  ["with its header block folded anew", (message) => message.replaceAll("\r\n\t", "\r\n      "), ALICE, SEEN],
  ["with another body", (message) => `${message}-- \r\na list's footer\r\n`, ALICE, SEEN],
  ["to another alias", (message) => message, CAROL, TAKEN],
  ["as an attachment", (message) => `Message-ID: <2@home.example>\r\n\r\n${message}`, ALICE, TAKEN],
  ["with its trace on a message of its own", (message) => message.replace("<1@", "<2@"), ALICE, TAKEN],
];
for (const [what, change, to, answer] of circles) {
  const outcome = answer === SEEN ? "is a loop: 554 5.4.6" : "is no loop";
  test(`mail that comes back ${what} ${outcome}`, async () => {
    await using hop = await startHop();
    await using forwarder = await inProcessForwarder({ aliases: ALIASES, nextHop: hop.port });
    assert.match(await send(forwarder, ALICE, MESSAGE), TAKEN);
    assert.match(await send(forwarder, to, change(received(hop))), answer);
    assert.equal(hop.messages.length, answer === TAKEN ? 2 : 1, "accepted and sent on are the same");
    const refused = forwarder.events.find((event) => event.event === "refused");
    assert.equal(refused?.reason, answer === SEEN ? "seen-before" : undefined);
  });
}

test("a server that adds the Message-ID that was missing hides one pass: the third one is refused", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: ALIASES, nextHop: hop.port });
  assert.match(await send(forwarder, ALICE, "Subject: x\r\n\r\nHello!\r\n"), TAKEN);
  assert.match(await send(forwarder, ALICE, `Message-ID: <added@home.example>\r\n${received(hop)}`), TAKEN);
  assert.match(await send(forwarder, ALICE, received(hop)), SEEN);
});

test("a bounce that comes back to its SRS address is a loop", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: ALIASES, nextHop: hop.port });
  const outcome = forwarder.rewriter.forward({ localPart: "bob", domain: "source.example" }, NOW);
  assert.ok(outcome.ok && outcome.rewritten);
  const to = renderMailbox(outcome.sender);
  const bounce = remoteBounce({ target: "alice@home.example" });
  assert.match(await send(forwarder, to, bounce, ""), TAKEN);
  assert.match(await send(forwarder, to, received(hop), ""), SEEN, "the DSN that was made of it");
});

test("a trace that somebody made up stops nobody's mail", async () => {
  await using hop = await startHop();
  await using forwarder = await inProcessForwarder({ aliases: ALIASES, nextHop: hop.port });
  const field = `Received: by mx.forwarder.example (Homing) with ESMTP id x\r\n\t(loop ${"0".repeat(20)})\r\n\tfor <${ALICE}>; x\r\n`;
  assert.match(await send(forwarder, ALICE, field.repeat(49) + MESSAGE), TAKEN);
});

test("limits.hops Received fields are too many: 554 5.4.6", async () => {
  await using hop = await startHop();
  await using forwarder = await startSite({
    domain: "forwarder.example",
    port: 0,
    aliases: ALIASES,
    routes: { "home.example": hop.port },
    hops: 12,
  });
  const hops = (count: number): string => "Received: from a by b; x\r\n".repeat(count) + MESSAGE;
  assert.match(await send(forwarder, ALICE, hops(11)), TAKEN);
  assert.match(await send(forwarder, ALICE, hops(12)), /^554 5\.4\.6 the message passed too many servers/);
  assert.equal(hop.messages.length, 1);
});

test("two Homings that forward to each other: refused at the third pass, in the sender's own session, without a DSN", async () => {
  const [first, second] = [await freePort(), await freePort()];
  await using a = await startSite({
    domain: "a.example",
    port: first,
    aliases: "alice: alice@b.example\n",
    routes: { "b.example": second },
  });
  await using b = await startSite({
    domain: "b.example",
    port: second,
    aliases: "alice: alice@a.example\n",
    routes: { "a.example": first },
  });
  const reply = await send(a, "alice@a.example", MESSAGE);
  assert.match(
    reply,
    /^554 5\.4\.6 <alice@a\.example>: /,
    "the sender's server hears it, and writes the DSN",
  );
  assert.deepEqual(await told(a), ["received", "forwarded", "refused", "not-delivered", "answered"]);
  assert.deepEqual(await told(b), ["received", "forwarded", "not-delivered", "answered"]);
  const refused = (await a.events()).find((event) => event.event === "refused");
  assert.equal(refused?.reason, "seen-before");
});

test("a Postfix whose alias points back to Homing's: one DSN, and it comes home", { skip }, async () => {
  await using stack = new AsyncDisposableStack();
  const port = await freePort();
  const relayHost = `[127.0.0.1]:${port}`;
  const source = stack.use(
    await startPostfix({
      hostname: "source.example",
      destinations: ["source.example"],
      relayHost,
      mailboxes: ["bob"],
    }),
  );
  const back = stack.use(
    await startPostfix({
      hostname: "b.example",
      destinations: ["b.example"],
      relayHost,
      aliases: { alice: "alice@a.example" },
    }),
  );
  const routes = { "source.example": source.port, "b.example": back.port };
  const forwarder = stack.use(
    await startSite({ domain: "a.example", port, aliases: "alice: alice@b.example\n", routes }),
  );

  await source.submit({
    from: "bob@source.example",
    to: "alice@a.example",
    message: "From: bob@source.example\nSubject: round and round\n\nHello!\n",
  });
  await source.mail("bob");

  await back.waitForLog(/to=<alice@a\.example>, .*status=bounced \(.* 554 5\.4\.6 the message was here/);
  const dsn = (await back.waitForLog("sender non-delivery notification")).split(" ").at(-1);
  await back.waitForLog(`${dsn}: removed`);
  assert.equal((await source.mail("bob")).length, 1, "one DSN and no more");
  assert.match(String((await source.mail("bob"))[0]), /^Reporting-MTA: dns; mx\.a\.example$/m);
  assert.deepEqual(
    (await told(forwarder)).filter((event) => ["received", "refused", "unwrapped"].includes(event)),
    ["received", "refused", "received", "unwrapped"],
    "the mail once, its return, and its bounce",
  );
});

interface Forwarder {
  readonly port: number;
}

async function send(
  forwarder: Forwarder,
  to: string,
  message: string,
  from = "bob@source.example",
): Promise<string> {
  using client = await greeted(forwarder);
  return await transact(client, { from, to, message });
}

/** The latest message at the next hop; none of this file has a line that begins with a dot. */
function received(hop: Hop): string {
  const text = String(hop.messages.at(-1)?.toString("latin1"));
  return text.slice(0, -".\r\n".length);
}

function upperCaseHeader(message: string): string {
  const end = message.indexOf("\r\n\r\n");
  return message.slice(0, end).toUpperCase() + message.slice(end);
}

interface Site {
  readonly domain: string;
  readonly port: number;
  readonly aliases: string;
  /** Ports by destination domain. */
  readonly routes: Readonly<Record<string, number>>;
  readonly hops?: number;
}

function startSite({ domain, port, aliases, routes, hops = 50 }: Site): Promise<HomingService> {
  return startHomingService({
    secret: `a secret of ${domain} alone`,
    aliases: `${aliases}postmaster: root@elsewhere.example\n`,
    config: `
hostname: mx.${domain}
listen: 127.0.0.1:${port}
domains: [${domain}]
aliasesFile: aliases
srs: { domain: ${domain}, secretsFile: secrets }
limits: { hops: ${hops} }
delivery:
  routes:
${Object.entries(routes)
  .map(([to, hop]) => `    ${to}: 127.0.0.1:${hop}\n`)
  .join("")}`,
  });
}

async function told(site: HomingService): Promise<string[]> {
  return (await site.events()).map((event) => event.event as string).filter((event) => event !== "listening");
}
