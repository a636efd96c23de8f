// Clients that go away before they have an answer, and come again: no second copy, and no later message is taken for an
// earlier one. ADR 0019.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { hello, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startWaitingHop } from "../packages/forwarder/src/testing/waiting-hop.ts";
import type { Wire } from "../packages/forwarder/src/testing/wire.ts";
import { type InProcessForwarder, inProcessForwarder } from "./harness/in-process.ts";
import {
  ALIASES,
  ALICE,
  arrivesAgain,
  BOB,
  folder,
  forwarderTo,
  GREYLISTED,
  LIST,
  limits,
  MESSAGE,
  queued,
  received,
  send,
  sendAndLeave,
  TRUSTED,
  until,
} from "./harness/trust-scene.ts";

/** Kept in a file while it is answered. */
const LARGE = `${MESSAGE}${`${"x".repeat(98)}\r\n`.repeat(4000)}`;

/** Until its half of the connection is closed, and we know that. */
async function quitBehindDot(forwarder: InProcessForwarder, to: string): Promise<Wire> {
  const client = await hello({ host: "127.0.0.1", port: forwarder.port });
  for (const command of [`MAIL FROM:<${BOB}>`, `RCPT TO:<${to}>`, "DATA"]) await client.ask(command);
  client.socket.end(`${LARGE}.\r\nQUIT\r\n`);
  await received(forwarder, 1);
  return client;
}

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

for (const [who, to, setting] of [
  ["unverified", ALICE, {}],
  ["unverified, a list", LIST, {}],
  ["verified", ALICE, TRUSTED],
  ["verified, to the disk first", ALICE, { ...TRUSTED, spoolFirst: true }],
] as const) {
  test(`${who}, the client says QUIT behind its final dot and closes both halves: its next try gets no second copy`, async (t) => {
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, setting);
    const copies = to === LIST ? 2 : 1;
    const { spool } = forwarder.state ?? {};
    assert.ok(spool);
    const put = spool.put.bind(spool);
    // So that no answer comes before the client has left.
    Object.assign(spool, {
      put: (...message: Parameters<typeof put>) => sleep(100).then(() => put(...message)),
    });
    using client = await quitBehindDot(forwarder, to);
    client.socket.destroy();
    await until(() => hop.messages.length === copies, "the next hop has the message");
    for (let owed = copies; owed > 0; owed--) hop.answer();
    await until(() => forwarder.state?.late.any() === true, "the success is recorded");
    assert.match(await send(forwarder, to, BOB, LARGE), /^250 /);
    await until(async () => (await queued(forwarder)) === 0, "nothing is on its way");
    assert.equal(hop.messages.length, copies);
    assert.equal(forwarder.state?.late.any(), false);
  });

  test(`${who}, the client says QUIT behind its final dot, closes its half and waits: it hears the 250, and its next equal message arrives`, async (t) => {
    await using hop = await startWaitingHop();
    await using forwarder = await forwarderTo(t, hop, setting);
    const copies = to === LIST ? 2 : 1;
    using client = await quitBehindDot(forwarder, to);
    await until(() => hop.messages.length === copies, "the next hop has the message");
    for (let owed = copies; owed > 0; owed--) hop.answer();
    assert.match(await client.reply(), /^250 /);
    assert.match(await client.rest(), /^221 /);
    assert.equal(forwarder.state?.late.any(), false, "a record would swallow the next equal message");
    const again = send(forwarder, to, BOB, LARGE);
    await until(() => hop.messages.length === 2 * copies, "the same message, sent again, is another one");
    for (let owed = copies; owed > 0; owed--) hop.answer();
    assert.match(await again, /^250 /);
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
