// The service is killed between its 250 to a bounce and the DSN's delivery, and between a recipient's final failure and its
// DSN: whatever it answered for is told, by itself or in a notice. Crash points of docs/queue.md. HOMING_CRASH_ROUNDS=20 for
// the long form.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter } from "@homing/srs-core";
import { writeVersion1 } from "../packages/forwarder/src/spool/testing/version-1.ts";
import { KEPT, sendOne } from "./faults/harness/client.ts";
import { killedInRounds, type Load, type Sent } from "./faults/harness/killed-under-load.ts";
import { type Letter, letter } from "./faults/harness/letters.ts";
import { type Sink, startSink } from "./faults/harness/sink.ts";
import { createSite, SECRET } from "./faults/harness/site.ts";
import { strace } from "./faults/harness/strace.ts";
import { tellAll } from "./faults/harness/tell-all.ts";
import { storiesNeed } from "./harness/availability.ts";
import { remoteBounce, srsAddress } from "./harness/bounce-peers.ts";
import { SRS_DOMAIN } from "./harness/in-process.ts";
import { type Told, toldIn } from "./harness/told.ts";

const ROUNDS = Number(process.env.HOMING_CRASH_ROUNDS ?? 2);
const LOAD = { rounds: ROUNDS, clients: 20, enough: 400 };
const timeout = (120 + 20 * ROUNDS) * 1000;
const BOUNCE_TAKEN = "250 2.0.0 the bounce is taken";
/** Five at a time take so long each: at a kill, many wait. */
const SLOW_MS = 20;
const BOB = "bob@source.example";
const MESSAGE_IDS = /<(c\d+n\d+)@source\.example>/g;

const slowly = (): Promise<undefined> => new Promise((done) => setTimeout(() => done(undefined), SLOW_MS));
const unixNow = (): number => Math.floor(Date.now() / 1000);
const sum = (counts: Iterable<number>): number => [...counts].reduce((all, one) => all + one, 0);
const isTaken = ({ acknowledgedIn }: Sent): boolean => acknowledgedIn !== undefined;
const tokens = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, nth) => `c0n${from + nth}`);

/** Made by the story, as the service makes them. */
function srsAddressOf(alias: string | undefined, sender: string, at = unixNow()): string {
  const rewriter = createRewriter({ secrets: [SECRET], domain: SRS_DOMAIN });
  return srsAddress(rewriter, alias && `${alias}@${SRS_DOMAIN}`, sender, at);
}

function bounceAbout(token: string, target: string): Letter {
  const messageId = `<${token}@source.example>`;
  return { token, message: Buffer.from(remoteBounce({ target, messageId })) };
}

/** What the postmaster hears of one of several destinations is not the sender's. */
const FOR_POSTMASTER = "\r\nTo: <postmaster@";

function toldAt(home: Sink, has = ""): Told {
  const messages = home.arrived
    .map(({ message }) => message)
    .filter((message) => message.includes(has) && !message.includes(FOR_POSTMASTER));
  return toldIn(messages, MESSAGE_IDS);
}

/** How often somebody was told of it: each DSN once, however often it came. */
function tellings({ dsns, listed }: Told, { letter: { token } }: Sent): { dsns: number; listed: number } {
  return { dsns: dsns.get(token)?.size ?? 0, listed: listed.get(token) ?? 0 };
}

/** Of each sender and alias so many are told one by one, and all others in notices. */
function assertBudgets(sent: readonly Sent[], told: Told, atOnce: number): void {
  for (const [bucket, some] of Map.groupBy(sent, ({ options: { from, to } }) => `${from} ${to}`)) {
    const each = some.map((one) => tellings(told, one));
    const dsns = sum(each.map((one) => one.dsns));
    const hasListed = each.some(({ listed }) => listed > 0);
    assert.ok(hasListed ? dsns === atOnce : dsns <= atOnce, `${dsns} DSNs for ${bucket}`);
  }
}

/** Of each client's addresses that are in use; the next ones after so many bounces to each. */
const ADDRESSES = 2;
const TO_EACH = 12;

test(`killed ${ROUNDS} times while bounces come in: of each that was taken its sender hears, the first five of an address by themselves`, {
  timeout,
}, async (t) => {
  await using home = await startSink({ dot: slowly });
  await using site = await createSite({
    aliases: "a0: hidden0@home.example\na1: hidden1@home.example\n",
    routes: { "source.example": home.port },
  });
  const began = unixNow();
  const make: Load["make"] = (client, nth) => {
    const alias = nth % ADDRESSES;
    // Not all clients come to their next addresses at the same time.
    const turn = Math.floor((nth + client) / (ADDRESSES * TO_EACH));
    const to = srsAddressOf(`a${alias}`, `sender${client}t${turn}@source.example`, began);
    return {
      letter: bounceAbout(`c${client}n${nth}`, `hidden${alias}@home.example`),
      options: { from: "", to },
    };
  };
  const killed = await killedInRounds(site, { ...LOAD, make, reply: BOUNCE_TAKEN, resends: true });
  const log = await tellAll(site, home);
  const told = toldAt(home);

  const { sent, leased, queued } = killed;
  const taken = sent.filter(isTaken);
  assert.ok(taken.length >= ROUNDS * LOAD.enough);
  const all = sent.map((one) => ({ one, times: sum(Object.values(tellings(told, one))) }));
  const lost = all.filter(({ one, times }) => isTaken(one) && times === 0);
  assert.deepEqual(lost, [], "taken, and lost");
  const tooOften = all.filter(({ one, times }) => times > one.unanswered + (isTaken(one) ? 1 : 0));
  assert.deepEqual(tooOften, [], "told more often than it came");
  assert.ok(told.secondCopies <= leased, `${told.secondCopies} second copies, ${leased} on their way`);
  assert.equal(log.length, sum(sent.map((one) => tellings(told, one).dsns)), "each with its event");
  assertBudgets(sent, told, 5);
  assertInOrder(sent, told);
  const full = fullAddresses(taken);
  const overKills = full.filter(({ size }) => size > 1).length;
  assert.ok(overKills > 0);
  t.diagnostic(
    `${taken.length} bounces taken, 0 lost; ${queued} DSNs were queued at the kills, ${leased} of them on their way; ` +
      `${told.dsns.size} Message-IDs came in DSNs, ${told.listed.size} in notices; ${told.secondCopies} second copies; ` +
      `${sum(sent.map(({ unanswered }) => unanswered))} unanswered and sent again, ` +
      `${sum(all.map(({ times }) => Math.max(0, times - 1)))} of them told twice; ` +
      `${full.length} addresses had ${TO_EACH} bounces, ${overKills} of them before and after a kill`,
  );
});

/** To one address they came one after the other. */
function assertInOrder(sent: readonly Sent[], told: Told): void {
  for (const [address, some] of Map.groupBy(sent, ({ options }) => options.to)) {
    const lastDsn = some.findLastIndex((one) => tellings(told, one).dsns > 0);
    const firstListed = some.findIndex((one) => tellings(told, one).listed > 0);
    assert.ok(firstListed < 0 || lastDsn <= firstListed, address);
  }
}

/** @returns for each address that had its twelve, the rounds in which they came */
function fullAddresses(taken: readonly Sent[]): readonly ReadonlySet<number | undefined>[] {
  return [...Map.groupBy(taken, ({ options }) => options.to).values()]
    .filter(({ length }) => length >= TO_EACH)
    .map((some) => new Set(some.map(({ acknowledgedIn }) => acknowledgedIn)));
}

/** The last one leads to two addresses that are both refused: one failure for its sender, when both have failed. */
const ALIASES = ["live", "dead0", "dead1", "pair"];
const SENDERS_A_ROUND = 4;

test(`killed ${ROUNDS} times while mail is refused for good: each is delivered, in one DSN, or in one notice`, {
  timeout,
}, async (t) => {
  await using home = await startSink({ dot: slowly });
  await using hop = await startSink({
    rcpt: ({ recipient }) => (recipient.startsWith("dead") ? "550 5.1.1 no such user" : undefined),
  });
  await using site = await createSite({
    aliases: [
      "live: live@home.example",
      "dead0: dead0@home.example",
      "dead1: dead1@home.example",
      "pair: dead2@home.example, dead3@home.example",
    ].join("\n"),
    routes: { "home.example": hop.port, "source.example": home.port },
  });
  const make: Load["make"] = (client, nth, round) => {
    const from = `sender${round}x${client % SENDERS_A_ROUND}@source.example`;
    const to = `${ALIASES[nth % ALIASES.length]}@${SRS_DOMAIN}`;
    return { letter: letter(`c${client}n${nth}`), options: { from, to } };
  };
  const { sent, leased, queued } = await killedInRounds(site, { ...LOAD, make, reply: KEPT, resends: false });
  const log = await tellAll(site, home);
  const told = toldAt(home);

  const taken = sent.filter(isTaken);
  assert.ok(taken.length >= ROUNDS * LOAD.enough);
  for (const one of sent) {
    const { dsns, listed } = tellings(told, one);
    const delivered = hop.copies.has(one.letter.token) ? 1 : 0;
    const ends = dsns + listed + delivered;
    const what = `${one.letter.token} to ${one.options.to}: ${dsns} DSNs, ${listed} listed, ${delivered}`;
    assert.ok(isTaken(one) ? ends === 1 : ends <= 1, what);
    assert.equal(one.options.to?.startsWith("live") ? dsns + listed : delivered, 0, what);
  }
  const failed = sent.filter((one) => sum(Object.values(tellings(told, one))) > 0);
  const pairs = failed.filter(({ options }) => options.to?.startsWith("pair")).length;
  assert.equal(log.length, failed.length + pairs, "each recipient with its event");
  assert.deepEqual(hop.torn, []);
  const secondCopies = told.secondCopies + sum(hop.copies.values()) - hop.copies.size;
  assert.ok(secondCopies <= leased, `${secondCopies} second copies, ${leased} on their way`);
  assertBudgets(sent, told, 20);
  assert.ok(told.dsns.size > 0 && told.listed.size > 0 && hop.copies.size > 0);
  t.diagnostic(
    `${taken.length} messages taken, 0 lost; ${queued} recipients were queued at the kills, ${leased} of them on their way; ` +
      `${hop.copies.size} delivered, ${told.dsns.size} in DSNs, ${told.listed.size} in notices; ` +
      `${secondCopies} second copies`,
  );
});

const needsStrace = (await storiesNeed("strace")) ?? false;
test("while the disk syncs nothing no bounce is taken, and none of those is told; afterwards each is told that is taken", {
  timeout,
  skip: needsStrace,
}, async () => {
  await using home = await startSink();
  await using site = await createSite({
    aliases: "alice: hidden@home.example\n",
    routes: { "source.example": home.port },
  });
  const service = await site.start();
  const to = srsAddressOf("alice", BOB);
  const bring = (token: string): Promise<string> =>
    sendOne(service.port, bounceAbout(token, "hidden@home.example"), { from: "", to });
  {
    const inject = ["-e", "trace=fsync,fdatasync", "-e", "inject=fsync,fdatasync:error=EIO"];
    await using _tracing = await strace(service.pid, inject);
    for (const token of tokens(0, TO_EACH)) assert.match(await bring(token), /^451 4\.3\.0 /);
  }
  const taken = tokens(TO_EACH, 2 * TO_EACH);
  for (const token of taken) {
    while ((await bring(token)) !== BOUNCE_TAKEN) await slowly();
  }
  await service.stop("SIGKILL");
  await tellAll(site, home);
  const told = toldAt(home);
  assert.deepEqual([...told.dsns.keys(), ...told.listed.keys()].sort(), taken.sort());
});

/** Its process was killed while it tried it. */
function queuedByVersion1(token: string): string {
  const message = String(letter(token).message);
  const now = unixNow();
  return `
    INSERT INTO messages VALUES
      (1, 'old', ${now - 60}, ${now + 3600}, 'bob', 'source.example', 0, 0, ${message.length}, 0, CAST('${message}' AS BLOB));
    INSERT INTO recipients VALUES
      (1, 0, 'dead', 'home.example', 'SRS0=x', '${SRS_DOMAIN}', 'alice', '${SRS_DOMAIN}', 0, '', 'sender', NULL, NULL,
      'home.example', 1, ${now - 60}, ${now + 3600}, NULL, NULL, NULL, NULL);
  `;
}

test("the state folder of an earlier Homing: its queued mail is told of, and bounces come home, to its own addresses too", {
  timeout,
}, async () => {
  await using home = await startSink();
  await using hop = await startSink({ rcpt: () => "550 5.1.1 no such user" });
  await using site = await createSite({
    aliases: "alice: dead@home.example\n",
    routes: { "home.example": hop.port, "source.example": home.port },
  });
  writeVersion1(site.stateFolder, queuedByVersion1("c0n0"));
  // An earlier one put no selector into its tags.
  const [before, now] = [srsAddressOf(undefined, BOB), srsAddressOf("alice", BOB)];
  for (const part of [tokens(1, 4), tokens(4, 14)]) {
    const service = await site.start();
    for (const token of part) {
      const to = token === "c0n1" ? before : now;
      const reply = await sendOne(service.port, bounceAbout(token, "dead@home.example"), { from: "", to });
      assert.equal(reply, BOUNCE_TAKEN);
    }
    await service.stop("SIGKILL");
  }
  await tellAll(site, home);
  const told = toldAt(home);
  assert.deepEqual([...told.dsns.keys()].sort(), tokens(0, 7));
  assert.deepEqual([...told.listed.keys()].sort(), tokens(7, 14).sort());
  const neutral = toldAt(home, "Final-Recipient: x-homing; withheld");
  assert.deepEqual([...neutral.dsns.keys()], ["c0n1"]);
});
