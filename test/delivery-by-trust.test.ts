// Delivery by trust: who waits for the next hop, what goes to the disk, and who is owed a bounce. ADR 0019.
import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openState } from "@homing/forwarder";
import { createFakeClock } from "../packages/forwarder/src/testing/fake-clock.ts";
import { hello, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { startWaitingHop } from "../packages/forwarder/src/testing/waiting-hop.ts";
import { remoteBounce } from "./harness/bounce-peers.ts";
import { inProcessForwarder, NOW } from "./harness/in-process.ts";
import {
  ALIASES,
  ALICE,
  BOB,
  folder,
  forwarderTo,
  GREYLISTED,
  LIST,
  limits,
  MESSAGE,
  PRIVATE,
  queued,
  send,
  TRUSTED,
  UNKNOWN,
  until,
} from "./harness/trust-scene.ts";

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

test("unverified, one target of two has it: the other is kept, and the postmaster alone is told of its failure", async (t) => {
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
  const told = forwarder.events.filter((event) => event.event === "dsn").map(({ to }) => to);
  assert.deepEqual(told, ["postmaster@forwarder.example"], "and not the sender, who may be forged");
});

test("unverified, one target of two has it and the other refuses it: the postmaster alone is told", async (t) => {
  await using home = await startHop();
  await using club = await startHop(UNKNOWN);
  await using post = await startHop();
  await using forwarder = await inProcessForwarder({
    aliases: `${ALIASES}postmaster: pm@post.example\n`,
    routes: { "home.example": home.port, "club.example": club.port, "post.example": post.port },
    stateFolder: await folder(t),
  });
  assert.equal(await send(forwarder, LIST), `250 2.0.0 <${LIST}>: passed on`);
  await until(() => post.messages.length === 1, "the postmaster has a DSN");
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
  assert.match(String(post.messages[0]), /\r\nFinal-Recipient: rfc822; list@forwarder\.example\r\n/);
  assert.doesNotMatch(String(post.messages[0]), PRIVATE);
  const told = forwarder.events.filter((event) => event.event === "dsn").map(({ to }) => to);
  assert.deepEqual(told, ["postmaster@forwarder.example"], "and not the sender, who may be forged");
  assert.equal(home.messages.length, 1);
});

test("a bounce to an alias, one target of two refuses it: nothing is kept, and nobody is told", async (t) => {
  await using home = await startHop();
  await using club = await startHop(UNKNOWN);
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": home.port, "club.example": club.port },
    stateFolder: await folder(t),
  });
  assert.equal(await send(forwarder, LIST, ""), `250 2.0.0 <${LIST}>: passed on`);
  assert.equal(await queued(forwarder), 0);
  const told = forwarder.events.filter(({ event }) => event === "dsn" || event === "double-bounce");
  assert.deepEqual(told, []);
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

test("unverified, one target has it, the other refuses it, and there is no room to tell the owner: the message is done", async (t) => {
  await using home = await startHop();
  await using club = await startHop(UNKNOWN);
  await using forwarder = await inProcessForwarder({
    aliases: ALIASES,
    routes: { "home.example": home.port, "club.example": club.port },
    stateFolder: await folder(t),
    minFreeOctets: 2 ** 52,
  });
  assert.equal(await send(forwarder, LIST), `250 2.0.0 <${LIST}>: passed on`);
  assert.equal(home.messages.length, 1);
  assert.equal(await queued(forwarder), 0);
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

test("a sender that does not fit is kept beside the queue, and its bounce comes home", async (t) => {
  await using hop = await startHop();
  await using forwarder = await forwarderTo(t, hop);
  const long = `${"b".repeat(60)}@source.example`;
  assert.match(await send(forwarder, ALICE, long), /^250 /);
  const [, srs = ""] = /^MAIL FROM:<([^>]*)>/m.exec(hop.commands.join("\n")) ?? [];
  assert.match(srs, /^SRS0=/);
  assert.ok(srs.indexOf("@") <= 64 && !srs.includes("bbb"), srs);
  const bounce = remoteBounce({ target: "private@home.example" });
  assert.match(await send(forwarder, srs, "", bounce), /^250 /);
  await until(() => hop.commands.includes(`RCPT TO:<${long}>`), "its DSN is home");
});

for (const [what, setting, isKept] of [
  ["spooled", { spoolFirst: true }, false],
  ["while its client waits", {}, false],
  ["kept after 15 s", {}, true],
] as const) {
  test(`verified, ${what}, and the service stops: the attempt is cut, counts for nothing, and is due at once`, async (t) => {
    const time = limits();
    const stateFolder = await folder(t);
    await using hop = await startHop({ MAIL: "(says nothing)" });
    {
      await using forwarder = await inProcessForwarder({
        aliases: ALIASES,
        nextHop: hop.port,
        stateFolder,
        timeLimit: time.timeLimit,
        ...setting,
        ...TRUSTED,
      });
      const reply = send(forwarder);
      await until(() => hop.commands.some((line) => line.startsWith("MAIL")), "the attempt is under way");
      if (isKept) time.end(15);
      if (isKept) await reply;
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

test("verified, kept, and the next hop says that there is more to come, for ever: the attempt ends after half an hour, and is made again", async (t) => {
  const time = limits();
  const clock = createFakeClock();
  await using hop = await startWaitingHop({
    dot: "250 2.0.0 ok",
    says: (verb, nth) => (verb === "MAIL" && nth === 1 ? "250-wait" : undefined),
  });
  await using forwarder = await forwarderTo(t, hop, { clock, timeLimit: time.timeLimit, ...TRUSTED });
  const reply = send(forwarder);
  await until(() => hop.commands.some((line) => line.startsWith("MAIL")), "the attempt is under way");
  time.end(15);
  assert.equal(await reply, "250 2.0.0 kept, and on its way");
  hop.wires[0]?.send("250-wait\r\n");
  time.end(1800);
  await until(() => forwarder.events.some(({ event }) => event === "deferred"), "it is deferred");
  for (let tries = 0; tries < 1000 && hop.messages.length === 0; tries++) {
    clock.advance(10_000);
    await sleep(2);
  }
  assert.equal(hop.messages.length, 1);
  await until(async () => (await queued(forwarder)) === 0, "the queue is empty");
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
