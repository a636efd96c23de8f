// Delivery by trust: who waits for the next hop, what goes to the disk, and who is owed a bounce. ADR 0019.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openState } from "@homing/forwarder";
import { createFakeClock } from "../packages/forwarder/src/testing/fake-clock.ts";
import { greeted, hello, startHop, transact } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startWaitingHop, type WaitingHop } from "../packages/forwarder/src/testing/waiting-hop.ts";
import {
  type InProcessForwarder,
  type InProcessOptions,
  inProcessForwarder,
  NOW,
} from "./harness/in-process.ts";

const BOB = "bob@source.example";
const ALICE = "alice@forwarder.example";
const LIST = "list@forwarder.example";
const MESSAGE = "Message-ID: <1@source.example>\r\nSubject: x\r\n\r\nHello!\r\n";
const ALIASES = [
  "alice: private@home.example",
  "carol: hidden@club.example",
  "list: private@home.example, hidden@club.example",
  "owned: private@home.example, hidden@club.example",
  "owner-owned: owner@lists.example",
  "",
].join("\n");
/** Clients that pipeline send DATA before they know. */
const GREYLISTED: Readonly<Record<string, string>> = {
  RCPT: "450 4.2.1 greylisted",
  DATA: "554 5.5.1 no recipients",
};
const UNKNOWN: Readonly<Record<string, string>> = { ...GREYLISTED, RCPT: "550 5.1.1 no" };
const PRIVATE = /private|hidden|home\.example|club\.example/;

/** Time limits that a test ends by hand, by their seconds. */
function limits() {
  const waiting = new Map<number, AbortController[]>();
  return {
    timeLimit(seconds: number): AbortSignal {
      const limit = new AbortController();
      waiting.set(seconds, [...(waiting.get(seconds) ?? []), limit]);
      return limit.signal;
    },
    /** Ends those that have begun. */
    end(seconds: number): void {
      for (const limit of waiting.get(seconds) ?? []) limit.abort();
    },
  };
}

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "homing-trust-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

/** With a queue of its own; all that leaves goes to one next hop. */
async function forwarderTo(
  t: TestContext,
  hop: { readonly port: number },
  setting: Setting = {},
): Promise<InProcessForwarder> {
  return inProcessForwarder({
    aliases: ALIASES,
    nextHop: hop.port,
    stateFolder: await folder(t),
    ...setting,
  });
}

function send(forwarder: InProcessForwarder, to = ALICE, from = BOB, message = MESSAGE): Promise<string> {
  return greeted({ host: "127.0.0.1", port: forwarder.port }).then((client) =>
    transact(client, { from, to, message }).finally(() => client.socket.destroy()),
  );
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let tries = 0; tries < 1500; tries++) {
    if (await condition()) return;
    await sleep(5);
  }
  assert.fail(`waited in vain until ${what}`);
}

async function received(forwarder: InProcessForwarder, count: number): Promise<void> {
  const messages = () => forwarder.events.filter(({ event }) => event === "received").length;
  await until(() => messages() === count, `${count} messages are in`);
}

/** A client that goes away when the next hop has its message, and before it has its answer. */
async function sendAndLeave(
  forwarder: InProcessForwarder,
  hop: Pick<WaitingHop, "messages">,
  { from = BOB, to = ALICE },
): Promise<void> {
  const before = forwarder.events.filter(({ event }) => event === "received").length;
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
    assert.match(await client.ask(command), /^250 /);
  }
  assert.match(await client.ask("DATA"), /^354 /);
  client.send(`${MESSAGE}.\r\n`);
  await received(forwarder, before + 1);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  client.socket.resetAndDestroy();
  await once(client.socket, "close");
  await sleep(20);
}

async function queued(forwarder: InProcessForwarder): Promise<number> {
  return (await forwarder.state?.spool.list({ limit: 10 }))?.length ?? 0;
}

type Setting = Omit<InProcessOptions, "aliases">;
const TRUSTED: Setting = { trustedNetworks: ["127.0.0.1"] };

for (const [who, setting] of [
  ["verified", TRUSTED],
  ["unverified", {}],
] as const) {
  test(`${who}, the next hop takes it in time: its answer is ours, and nothing is written`, async (t) => {
    await using hop = await startHop();
    await using forwarder = await forwarderTo(t, hop, setting);
    assert.equal(await send(forwarder), `250 2.0.0 <${ALICE}>: passed on`);
    assert.equal(hop.messages.length, 1);
    assert.equal(await queued(forwarder), 0);
  });

  test(`${who}, the next hop refuses it: so do we, and there is no DSN`, async (t) => {
    await using hop = await startHop({ RCPT: "550 5.2.2 private@home.example is full" });
    await using forwarder = await forwarderTo(t, hop, setting);
    const reply = await send(forwarder);
    assert.match(reply, /^550 5\.2\.2 /);
    assert.doesNotMatch(reply, PRIVATE);
    assert.equal(await queued(forwarder), 0);
  });
}

test("verified, the next hop defers it: it is kept, tried again, and not lost", async (t) => {
  const clock = createFakeClock();
  await using hop = await startWaitingHop({
    dot: "250 2.0.0 ok",
    says: (verb, nth) => (nth === 1 ? GREYLISTED[verb] : undefined),
  });
  await using forwarder = await forwarderTo(t, hop, { clock, ...TRUSTED });
  assert.equal(await send(forwarder), "250 2.0.0 kept, and on its way");
  await until(() => forwarder.events.some(({ event }) => event === "deferred"), "it is deferred");
  assert.equal(await queued(forwarder), 1);
  for (let tries = 0; tries < 1000 && hop.messages.length === 0; tries++) {
    clock.advance(10_000);
    await sleep(2);
  }
  assert.equal(hop.messages.length, 1);
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
});

test("unverified, the next hop defers it: so do we, and nothing is kept", async (t) => {
  await using hop = await startHop({ RCPT: "450 4.2.1 greylisted" });
  await using forwarder = await forwarderTo(t, hop);
  assert.match(await send(forwarder), /^450 4\.2\.1 /);
  assert.equal(await queued(forwarder), 0);
});

test("verified, the next hop takes its time: after 15 s the client is free, and there is one copy", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
  const reply = send(forwarder);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  assert.equal(await queued(forwarder), 0);
  time.end(15);
  assert.equal(await reply, "250 2.0.0 kept, and on its way");
  assert.equal(await queued(forwarder), 1);
  hop.answer();
  await until(async () => (await queued(forwarder)) === 0, "the attempt is written down");
  assert.equal(hop.messages.length, 1);
});

test("verified, kept, and refused then: the sender gets a DSN that tells nothing private", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
  const reply = send(forwarder);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  time.end(15);
  assert.match(await reply, /^250 /);
  hop.answer("554 5.7.1 private@home.example does not like it");
  await until(() => hop.messages.length === 2, "the DSN is out");
  hop.answer();
  assert.ok(hop.commands.some((line) => line.startsWith("MAIL FROM:<>")));
  assert.ok(hop.commands.includes(`RCPT TO:<${BOB}>`));
  const dsn = hop.messages[1] ?? "";
  assert.match(dsn, /\r\nFinal-Recipient: rfc822; alice@forwarder\.example\r\n/);
  assert.match(dsn, /\r\nStatus: 5\.7\.1\r\n/);
  assert.doesNotMatch(dsn, PRIVATE);
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
});

test("verified, many recipients: one transaction, each alias with its own Received field", async (t) => {
  await using hop = await startHop();
  await using forwarder = await forwarderTo(t, hop, TRUSTED);
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}>`, "RCPT TO:<carol@forwarder.example>"])
    assert.match(await client.ask(command), /^250 /);
  assert.match(await client.ask("DATA"), /^354 /);
  assert.match(await client.ask(`${MESSAGE}.`), /^250 2\.0\.0 kept/);
  await until(() => hop.messages.length === 2, "both have it");
  const fors = hop.messages.map((message) => /\tfor <([^>]*)>/.exec(message.toString())?.[1]);
  assert.deepEqual(fors.sort(), [ALICE, "carol@forwarder.example"]);
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
});

test("verified, no room to keep it and no answer in time: 452, and the next try gets no second copy", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, {
    minFreeOctets: 2 ** 52,
    timeLimit: time.timeLimit,
    ...TRUSTED,
  });
  const reply = send(forwarder);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  time.end(15);
  await sleep(50);
  time.end(240);
  assert.match(await reply, /^452 4\.3\.1 /);
  const second = send(forwarder);
  await until(() => forwarder.events.filter(({ event }) => event === "received").length === 2, "it is in");
  hop.answer();
  assert.match(await second, /^250 /);
  assert.equal(hop.messages.length, 1);
});

test("verified, two names that lead to one mailbox: one copy", async (t) => {
  await using hop = await startHop();
  await using forwarder = await forwarderTo(t, hop, TRUSTED);
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}>`, `RCPT TO:<${LIST}>`])
    assert.match(await client.ask(command), /^250 /);
  assert.match(await client.ask("DATA"), /^354 /);
  assert.match(await client.ask(`${MESSAGE}.`), /^250 /);
  await until(() => hop.messages.length === 2, "both mailboxes have it");
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
  const targets = hop.commands.filter((line) => line.startsWith("RCPT"));
  assert.deepEqual(targets.sort(), ["RCPT TO:<hidden@club.example>", "RCPT TO:<private@home.example>"]);
});

test("unverified, a second recipient comes in a transaction of its own", async (t) => {
  await using hop = await startHop();
  await using forwarder = await forwarderTo(t, hop);
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  assert.match(await client.ask(`MAIL FROM:<${BOB}>`), /^250 /);
  assert.match(await client.ask(`RCPT TO:<${ALICE}>`), /^250 /);
  assert.match(await client.ask("RCPT TO:<carol@forwarder.example>"), /^452 4\.5\.3 /);
});

test("unverified, one target of two has it: the other is kept, and nobody is told of its failure", async (t) => {
  const clock = createFakeClock();
  await using home = await startHop();
  await using club = await startWaitingHop({
    dot: "250 2.0.0 ok",
    says: (verb, nth) => (nth === 1 ? GREYLISTED[verb] : UNKNOWN[verb]),
  });
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": home.port, "club.example": club.port },
    stateFolder: await folder(t),
    clock,
  });
  assert.equal(await send(forwarder, LIST), `250 2.0.0 <${LIST}>: passed on`);
  await until(async () => (await queued(forwarder)) === 1, "the other copy is kept");
  for (let tries = 0; tries < 1000 && (await queued(forwarder)) > 0; tries++) {
    clock.advance(10_000);
    await sleep(2);
  }
  const given = forwarder.events.filter(({ event }) => event === "given-up" || event === "dsn");
  assert.deepEqual(
    given.map(({ event }) => event),
    ["given-up"],
  );
});

test("unverified, one target has it and there is no room to keep the other: the client comes again, for that one", async (t) => {
  await using home = await startHop();
  await using club = await startHop({ RCPT: "450 4.2.1 later" });
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": home.port, "club.example": club.port },
    stateFolder: await folder(t),
    minFreeOctets: 2 ** 52,
  });
  assert.match(await send(forwarder, LIST), /^452 4\.3\.1 /);
  assert.equal(home.messages.length, 1);
  assert.match(await send(forwarder, LIST), /^452 4\.3\.1 /);
  assert.equal(home.messages.length, 1, "no second copy");
});

test("unverified, a list with an owner: the owner hears of what failed, the sender does not", async (t) => {
  await using home = await startHop();
  await using club = await startHop({ RCPT: "550 5.1.1 hidden@club.example: unknown" });
  await using lists = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": home.port, "club.example": club.port, "lists.example": lists.port },
    stateFolder: await folder(t),
  });
  assert.match(await send(forwarder, "owned@forwarder.example"), /^250 /);
  await until(() => lists.messages.length === 1, "the owner has a DSN");
  assert.ok(lists.commands.includes("RCPT TO:<owner@lists.example>"));
  assert.doesNotMatch(lists.messages[0]?.toString() ?? "", PRIVATE);
});

test("unverified, no answer to the final dot in 4 minutes: 451, and the next try gets no second copy", async (t) => {
  const time = limits();
  const stateFolder = await folder(t);
  await using hop = await startWaitingHop();
  const setting = { aliases: ALIASES, nextHop: hop.port, stateFolder, timeLimit: time.timeLimit };
  {
    await using forwarder = await inProcessForwarder(setting);
    const reply = send(forwarder);
    await until(() => hop.messages.length === 1, "the next hop has the message");
    time.end(240);
    assert.match(await reply, /^451 4\.4\.2 /);
    hop.answer();
    await until(() => forwarder.state?.late.any() === true, "the late success is recorded");
  }
  // Another process, as after a crash.
  await using forwarder = await inProcessForwarder(setting);
  assert.equal(await send(forwarder), `250 2.0.0 <${ALICE}>: passed on`);
  assert.equal(hop.messages.length, 1);
  const again = send(forwarder);
  await until(() => hop.messages.length === 2, "the same message, sent again, is another one");
  hop.answer();
  assert.match(await again, /^250 /);
});

for (const [who, from, setting] of [
  ["unverified", BOB, {}],
  ["verified", BOB, TRUSTED],
  ["a bounce", "", {}],
] as const) {
  test(`${who}, the client goes away before the next hop answers: its next try gets no second copy`, async (t) => {
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, setting);
    await sendAndLeave(forwarder, hop, { from });
    hop.answer();
    await until(() => forwarder.state?.late.any() === true, "the success is recorded");
    assert.equal(await send(forwarder, ALICE, from), `250 2.0.0 <${ALICE}>: passed on`);
    assert.equal(hop.messages.length, 1);
    assert.equal(forwarder.state?.late.any(), false);
  });
}

for (const [who, from, setting] of [
  ["unverified", BOB, {}],
  ["verified", BOB, TRUSTED],
  ["a bounce", "", {}],
] as const) {
  test(`${who}, the client goes away and comes again before the next hop answers: it joins the first try`, async (t) => {
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, setting);
    await sendAndLeave(forwarder, hop, { from });
    await sendAndLeave(forwarder, hop, { from });
    const third = send(forwarder, ALICE, from);
    await received(forwarder, 3);
    hop.answer();
    assert.equal(await third, `250 2.0.0 <${ALICE}>: passed on`);
    assert.equal(hop.messages.length, 1);
    assert.equal(await queued(forwarder), 0);
    assert.equal(forwarder.state?.late.any(), false, "nothing is left that would swallow another message");
    const fourth = send(forwarder, ALICE, from);
    await until(() => hop.messages.length === 2, "the same message, sent again, is another one");
    hop.answer();
    assert.match(await fourth, /^250 /);
  });
}

test("verified, the client is gone when the time is up: nothing is kept, and the next try joins the attempt", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
  await sendAndLeave(forwarder, hop, {});
  time.end(15);
  await sleep(50);
  assert.equal(await queued(forwarder), 0);
  const second = send(forwarder);
  await received(forwarder, 2);
  hop.answer();
  assert.match(await second, /^250 .*passed on/);
  assert.equal(hop.messages.length, 1);
  assert.equal(forwarder.state?.late.any(), false);
});

test("verified, the client is gone and its next try is here when the time is up: one is kept, not both", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
  await sendAndLeave(forwarder, hop, {});
  const second = send(forwarder);
  await received(forwarder, 2);
  await sleep(20);
  time.end(15);
  assert.equal(await second, "250 2.0.0 kept, and on its way");
  assert.equal(await queued(forwarder), 1);
  hop.answer("451 4.3.0 not now");
  await sleep(50);
  assert.equal(await queued(forwarder), 1);
  assert.equal(hop.messages.length, 1);
  assert.equal(forwarder.state?.late.any(), false);
});

/** The same message, sent again after the first one is done with: another message, which must arrive. */
async function arrivesAgain(forwarder: InProcessForwarder, hop: WaitingHop, to = ALICE): Promise<void> {
  assert.equal(forwarder.state?.late.any(), false, "a record would swallow the next equal message");
  const before = hop.messages.length;
  const again = send(forwarder, to);
  await until(() => hop.messages.length === before + 1, "the same message, sent again, is another one");
  hop.answer();
  assert.match(await again, /^250 /);
}

test("verified, a client that hears 250 and leaves: its next equal message arrives, before the first is delivered and after", async (t) => {
  for (const isFirstDelivered of [true, false]) {
    const time = limits();
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
    const first = send(forwarder);
    await until(() => hop.messages.length === 1, "the next hop has the message");
    time.end(15);
    assert.match(await first, /^250 .*kept/);
    await sleep(50);
    if (isFirstDelivered) {
      hop.answer();
      await until(async () => (await queued(forwarder)) === 0, "the attempt is written down");
      await arrivesAgain(forwarder, hop);
    } else {
      const second = send(forwarder);
      await until(() => hop.messages.length === 2, "the second is another message");
      hop.answer();
      hop.answer();
      assert.match(await second, /^250 /);
    }
    assert.equal(hop.messages.length, 2);
  }
});

test("verified, a try that joined, is kept, and leaves: its next equal message arrives", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
  await sendAndLeave(forwarder, hop, {});
  const second = send(forwarder);
  await received(forwarder, 2);
  await sleep(20);
  time.end(15);
  assert.match(await second, /^250 .*kept/);
  await sleep(50);
  hop.answer();
  await until(async () => (await queued(forwarder)) === 0, "the attempt is written down");
  await arrivesAgain(forwarder, hop);
});

test("unverified, a list of which one target is kept: the client hears 250, leaves, and its next equal message arrives", async (t) => {
  const time = limits();
  await using home = await startHop();
  await using club = await startWaitingHop();
  const routes = { "home.example": home.port, "club.example": club.port };
  const stateFolder = await folder(t);
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes,
    stateFolder,
    timeLimit: time.timeLimit,
  });
  const first = send(forwarder, LIST);
  await until(() => home.messages.length === 1 && club.messages.length === 1, "both have it");
  await sleep(30);
  time.end(240);
  assert.match(await first, /^250 /);
  await sleep(50);
  club.answer();
  await until(async () => (await queued(forwarder)) === 0, "the attempt is written down");
  await arrivesAgain(forwarder, club, LIST);
  assert.equal(home.messages.length, 2);
});

test("unverified, a list: gone and here again while one target is slow: one copy for each, and nothing is left", async (t) => {
  await using home = await startHop();
  await using club = await startWaitingHop();
  const routes = { "home.example": home.port, "club.example": club.port };
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes,
    stateFolder: await folder(t),
  });
  await sendAndLeave(forwarder, club, { to: LIST });
  const second = send(forwarder, LIST);
  await received(forwarder, 2);
  await sleep(100);
  club.answer();
  assert.match(await second, /^250 /);
  assert.deepEqual([home.messages.length, club.messages.length], [1, 1]);
  await arrivesAgain(forwarder, club, LIST);
  assert.equal(home.messages.length, 2);
});

for (const [what, slow] of [
  [
    "there is no room, and the client goes while it waits on",
    async () => ({ kind: "no-room", cause: "test" }) as const,
  ],
  ["the client goes while the message is written", undefined],
] as const) {
  test(`verified, ${what}: one further try is answered, and the next one is another message`, async (t) => {
    const time = limits();
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit, ...TRUSTED });
    const spool = forwarder.state?.spool;
    assert.ok(spool);
    const put = spool.put.bind(spool);
    const slowly: typeof put = (message) => sleep(150).then(() => put(message));
    Object.assign(spool, { put: slow ?? slowly });
    using client = await hello({ host: "127.0.0.1", port: forwarder.port });
    for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}>`, "DATA"]) await client.ask(command);
    client.send(`${MESSAGE}.\r\n`);
    await until(() => hop.messages.length === 1, "the next hop has the message");
    time.end(15);
    await sleep(30);
    client.socket.resetAndDestroy();
    await sleep(250);
    hop.answer();
    await until(() => forwarder.state?.late.any() === true, "the success is remembered");
    Object.assign(spool, { put });
    assert.match(await send(forwarder), /^250 /);
    assert.equal(hop.messages.length, 1);
    await arrivesAgain(forwarder, hop);
  });
}

for (const [who, setting] of [
  ["verified", TRUSTED],
  ["unverified", {}],
] as const) {
  test(`${who}, a client that goes before its attempt begins: nothing begins but its next try`, async (t) => {
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, setting);
    const late = forwarder.state?.late;
    assert.ok(late);
    const { any, consume } = late;
    // Something to look for, and a disk that takes its time.
    Object.assign(late, { any: () => true, consume: (key: string) => sleep(100).then(() => consume(key)) });
    using client = await hello({ host: "127.0.0.1", port: forwarder.port });
    for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}>`, "DATA"]) await client.ask(command);
    client.send(`${MESSAGE}.\r\n`);
    await received(forwarder, 1);
    client.socket.resetAndDestroy();
    await sleep(20);
    Object.assign(late, { any, consume });
    const second = send(forwarder);
    await received(forwarder, 2);
    await sleep(150);
    hop.answer();
    assert.match(await second, /^250 /);
    assert.equal(hop.messages.length, 1);
    await arrivesAgain(forwarder, hop);
  });
}

test("unverified, a list of twelve, gone and here again while ten are under way: twelve copies", async (t) => {
  await using hop = await startWaitingHop();
  const members = Array.from({ length: 12 }, (_, nth) => `m${nth}@home.example`);
  await using forwarder = await inProcessForwarder({
    aliases: `list: ${members.join(", ")}\n`,
    nextHop: hop.port,
    stateFolder: await folder(t),
  });
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${LIST}>`, "DATA"]) await client.ask(command);
  client.send(`${MESSAGE}.\r\n`);
  await until(() => hop.messages.length === 10, "ten have it");
  client.socket.resetAndDestroy();
  await sleep(30);
  const second = send(forwarder, LIST);
  await received(forwarder, 2);
  await sleep(50);
  const answering = setInterval(() => hop.answer(), 5);
  t.after(() => clearInterval(answering));
  assert.match(await second, /^250 /);
  await sleep(50);
  assert.equal(hop.messages.length, 12);
  assert.equal(forwarder.state?.late.any(), false);
});

test("unverified, told 451 and still connected: what joins its attempt is not its own any more", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit });
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}>`, "DATA"]) await client.ask(command);
  client.send(`${MESSAGE}.\r\n`);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  time.end(240);
  assert.match(await client.reply(), /^451 /);
  const second = send(forwarder);
  await received(forwarder, 2);
  await sleep(30);
  client.socket.end();
  await sleep(30);
  hop.answer();
  assert.match(await second, /^250 /);
  await sleep(20);
  await arrivesAgain(forwarder, hop);
});

test("verified, to the disk first, and the client goes while it is written: its next try gets no second copy", async (t) => {
  await using hop = await startHop();
  await using forwarder = await forwarderTo(t, hop, { ...TRUSTED, spoolFirst: true });
  const spool = forwarder.state?.spool;
  assert.ok(spool);
  const put = spool.put.bind(spool);
  Object.assign(spool, { put: (message: Parameters<typeof put>[0]) => sleep(100).then(() => put(message)) });
  using client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${ALICE}>`, "DATA"]) await client.ask(command);
  client.send(`${MESSAGE}.\r\n`);
  await received(forwarder, 1);
  client.socket.resetAndDestroy();
  await until(() => hop.messages.length === 1, "it is delivered");
  assert.match(await send(forwarder), /^250 /);
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
  await sleep(50);
  assert.equal(hop.messages.length, 1);
});

test("unverified, one target of two has it when the client goes away: the next try serves the other alone", async (t) => {
  await using home = await startWaitingHop();
  await using club = await startWaitingHop({
    dot: "250 2.0.0 ok",
    says: (verb, nth) => (nth === 1 ? GREYLISTED[verb] : undefined),
  });
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": home.port, "club.example": club.port },
    stateFolder: await folder(t),
  });
  await sendAndLeave(forwarder, home, { to: LIST });
  home.answer();
  await until(() => forwarder.state?.late.any() === true, "the success is recorded");
  assert.equal(await queued(forwarder), 0, "the client comes again: nothing is kept for it");
  assert.match(await send(forwarder, LIST), /^250 /);
  assert.equal(home.messages.length, 1);
  assert.equal(club.messages.length, 1);
});

test("unverified, a try while the first one still runs joins it", async (t) => {
  const time = limits();
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit });
  const first = send(forwarder);
  await until(() => hop.messages.length === 1, "the next hop has the message");
  time.end(240);
  assert.match(await first, /^451 /);
  const second = send(forwarder);
  await until(() => forwarder.events.filter(({ event }) => event === "received").length === 2, "it is in");
  hop.answer();
  assert.match(await second, /^250 /);
  assert.equal(hop.messages.length, 1);
  assert.equal(forwarder.state?.late.any(), false);
});

test("two equal messages at a time are two messages", async (t) => {
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop);
  const replies = [send(forwarder), send(forwarder)];
  await until(() => hop.messages.length === 2, "the next hop has both");
  hop.answer();
  hop.answer();
  for (const reply of replies) assert.match(await reply, /^250 /);
});

test("unverified, nothing sent when the time is up: the attempt is cut, and leaves nothing", async (t) => {
  const time = limits();
  await using hop = await startHop({ MAIL: "(says nothing)" });
  await using forwarder = await forwarderTo(t, hop, { timeLimit: time.timeLimit });
  const reply = send(forwarder);
  await until(() => hop.commands.some((line) => line.startsWith("MAIL")), "the attempt is under way");
  time.end(240);
  assert.match(await reply, /^451 4\.4\./);
  assert.equal(forwarder.state?.late.any(), false);
});

test("a bounce is never kept: its server hears what the next hop says", async (t) => {
  await using hop = await startHop({ RCPT: "450 4.2.1 later" });
  await using forwarder = await forwarderTo(t, hop, { ...TRUSTED, spoolFirst: true });
  assert.match(await send(forwarder, ALICE, ""), /^450 4\.2\.1 /);
  assert.equal(await queued(forwarder), 0);
});

test("spooled: the answer comes when the message is on the disk, before the next hop is asked", async (t) => {
  await using hop = await startWaitingHop();
  await using forwarder = await forwarderTo(t, hop, { spoolFirst: true, ...TRUSTED });
  assert.equal(await send(forwarder), "250 2.0.0 kept, and on its way");
  await until(() => hop.messages.length === 1, "the next hop has it");
  assert.equal(await queued(forwarder), 1);
  hop.answer();
  await until(async () => (await queued(forwarder)) === 0, "it is gone");
});

test("verified, a sender at a domain of ours: its DSN goes where the tables lead", async (t) => {
  await using hop = await startHop({ RCPT: "550 5.1.1 unknown" });
  await using carols = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": hop.port, "club.example": carols.port },
    stateFolder: await folder(t),
    spoolFirst: true,
    ...TRUSTED,
  });
  assert.match(await send(forwarder, ALICE, "carol@forwarder.example"), /^250 /);
  await until(() => carols.messages.length === 1, "carol has the DSN");
  assert.ok(carols.commands.includes("RCPT TO:<hidden@club.example>"));
  assert.match(String(carols.messages[0]), /\r\nTo: <carol@forwarder\.example>\r\n/);
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
});

test("a sender that does not fit is kept beside the queue, and its bounce comes home", async (t) => {
  await using hop = await startHop();
  await using forwarder = await forwarderTo(t, hop);
  const long = `${"b".repeat(60)}@source.example`;
  assert.match(await send(forwarder, ALICE, long), /^250 /);
  const [, srs = ""] = /^MAIL FROM:<([^>]*)>/m.exec(hop.commands.join("\n")) ?? [];
  assert.match(srs, /^SRS0=/);
  assert.ok(srs.indexOf("@") <= 64 && !srs.includes("bbb"), srs);
  assert.match(await send(forwarder, srs, ""), /^250 /);
  assert.ok(hop.commands.includes(`RCPT TO:<${long}>`));
});

for (const [what, setting] of [
  ["spooled", { spoolFirst: true }],
  ["while its client waits", {}],
] as const) {
  test(`verified, ${what}, and the service stops: the attempt is cut, counts for nothing, and is due at once`, async (t) => {
    const stateFolder = await folder(t);
    await using hop = await startHop({ MAIL: "(says nothing)" });
    {
      await using forwarder = await inProcessForwarder({
        aliases: ALIASES,
        nextHop: hop.port,
        stateFolder,
        ...setting,
        ...TRUSTED,
      });
      const reply = send(forwarder);
      await until(() => hop.commands.some((line) => line.startsWith("MAIL")), "the attempt is under way");
      const closed = forwarder[Symbol.asyncDispose]();
      assert.equal(await reply, "250 2.0.0 kept, and on its way");
      await closed;
    }
    const state = await openState({ folder: stateFolder, maxAgeDays: 21, now: () => NOW });
    const [entry] = await state.spool.list({ limit: 10 });
    await state.close();
    const { due = 0 } = entry?.recipients[0] ?? {};
    assert.ok(due >= NOW && due <= NOW + 15, `due after ${due - NOW} s`);
  });
}
