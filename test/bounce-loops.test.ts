// Bounces that could go in a circle, or be answered for ever: each comes to an end, after a number of messages that is known.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createRewriter } from "@homing/srs-core";
import { hello } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { bringAll, type Scene, startScene } from "./harness/bounce-crowd.ts";
import {
  assertSilent,
  BOB,
  bounceForwarder,
  bring,
  remoteBounce,
  secretAddress,
  srsAddress,
} from "./harness/bounce-peers.ts";
import { freePort } from "./harness/free-port.ts";
import type { InProcessForwarder } from "./harness/in-process.ts";
import { startScriptedHop } from "./harness/scripted-hop.ts";
import { waitFor } from "./harness/wait.ts";

const ALICE = "alice@forwarder.example";
/** So short that it can be wrapped twice in 64 octets. */
const SHORT = "b@s.example";
const CAROL = "carol@forwarder.example";
const CAROLS = "carol@office.example";
const ROOT = "root@office.example";
const HOUR = 3600;
const DAY = 86_400;
const GONE = "550 5.1.1 no such user";
const LETTER = "Message-ID: <1@source.example>\r\nFrom: <bob@source.example>\r\nSubject: x\r\n\r\nHello!\r\n";
const ALIASES = `carol: ${CAROLS}\npostmaster: ${ROOT}\n`;
/** The digest goes to the postmaster at our name. */
const HOSTNAME = "mx.forwarder.example";

function reached({ hop }: Scene): readonly string[] {
  return hop.taken.map(({ recipient }) => recipient);
}

/** SRS addresses of other times, or of a site whose rewriter wraps all senders. */
function wrapping(domain: string, secret = "a secret of the stories") {
  return createRewriter({ secrets: [secret], domain, alwaysRewrite: true });
}

const own: [
  who: string,
  sender: string,
  answer: RegExp,
  refused: string[],
  ends: string[],
  doubles: number,
][] = [
  ["an alias of ours", CAROL, /^250 /, [], [CAROLS], 0],
  ["an alias of ours that is dead", CAROL, /^250 /, [CAROLS], [], 1],
  ["the very alias that bounced", ALICE, /^250 /, ["target"], [], 1],
  ["nobody here", "nobody@forwarder.example", /^550 5\.1\.1 /, [], [], 0],
];
for (const [who, sender, answer, refused, ends, doubles] of own) {
  test(`a bounce to mail whose sender is ${who} ends`, async (t) => {
    const target = secretAddress();
    await using scene = await startScene(t, { aliases: `alice: ${target}\n${ALIASES}`, hostname: HOSTNAME });
    for (const one of refused) scene.refusals.set(one === "target" ? target : one, GONE);
    const srs = srsAddress(wrapping("forwarder.example"), ALICE, sender);
    assert.match(await bring(scene.forwarder, srs, remoteBounce({ target })), answer);
    await scene.pass(HOUR);
    assert.deepEqual(reached(scene), ends);
    assert.equal(scene.told("double-bounce").length, doubles);
    await scene.pass(3 * DAY);
    // Of a double bounce the postmaster hears, and that is all.
    assert.deepEqual(reached(scene), [...ends, ...(doubles === 0 ? [] : [ROOT])]);
  });
}

test("SRS1 whose first forwarder is ourselves is unwrapped twice, and one DSN comes home", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}\n${ALIASES}` });
  const { rewriter } = scene.forwarder;
  const elsewhere = wrapping("second.example", "another secret of theirs");
  const once = srsAddress(rewriter, ALICE, SHORT);
  const again = srsAddress(rewriter, ALICE, srsAddress(elsewhere, undefined, once));
  assert.match(again, /^SRS1=[^=]*=forwarder\.example=.*@forwarder\.example$/);
  assert.match(await bring(scene.forwarder, again, remoteBounce({ target })), /^250 2\.0\.0 /);
  const [dsn] = await scene.taken(1);
  assert.equal(dsn?.recipient, SHORT);
  assertSilent(String(dsn?.message), target);
  const back = await bring(scene.forwarder, again, String(dsn?.message));
  assert.match(back, /^554 5\.4\.6 /, "the DSN is known, if that comes back to where its bounce came to");
  await scene.pass(DAY);
  assert.deepEqual(reached(scene), [SHORT]);
});

test("a notice that comes back to the SRS address that it is about is a loop, and so is each DSN before it", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}\n${ALIASES}` });
  const { forwarder, hop } = scene;
  const srs = srsAddress(forwarder.rewriter, ALICE);
  const bounces = Array.from({ length: 7 }, (_, at) => ({
    ...{ from: "", to: srs, message: remoteBounce({ target, messageId: `<m${at}@source.example>` }) },
  }));
  await bringAll(forwarder, bounces);
  await scene.pass(HOUR + 120);
  assert.equal(hop.taken.length, 6);
  assert.equal(scene.told("notice")[0]?.count, 2);
  for (const { message } of hop.taken)
    assert.match(await bring(forwarder, srs, message), /^554 5\.4\.6 the message was here/);
  await scene.pass(DAY);
  assert.equal(hop.taken.length, 6);
  assert.equal(scene.told("refused").filter(({ reason }) => reason === "seen-before").length, 6);
});

test("double bounces are counted, and one digest a day tells the postmaster which they were; if that fails, it was the last", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}\n${ALIASES}`, hostname: HOSTNAME });
  const { forwarder, hop, refusals } = scene;
  refusals.set(BOB, GONE);
  const bounce = { from: "", to: srsAddress(forwarder.rewriter, ALICE), message: remoteBounce({ target }) };
  const doubles = () => scene.told("double-bounce").map(({ target: to }) => to);
  await bringAll(forwarder, [bounce, bounce, bounce]);
  await scene.pass(HOUR);
  assert.deepEqual(doubles(), [BOB, BOB, BOB]);
  assert.equal(hop.taken.length, 0, "nobody is told of what tells of a failure");

  await scene.pass(DAY);
  assert.deepEqual(reached(scene), [ROOT]);
  const [digest] = hop.taken;
  assert.equal(digest?.reversePath, "");
  assert.match(String(digest?.message), /^Subject: 3 bounces could not be delivered to anybody\r$/m);
  for (const { id } of scene.told("double-bounce"))
    assert.match(String(digest?.message), new RegExp(`^ {4}${id}:${BOB}:5\\.1\\.1\r$`, "m"));
  await scene.pass(2 * DAY);
  assert.equal(hop.taken.length, 1);

  refusals.set(ROOT, GONE);
  await bringAll(forwarder, [bounce]);
  await scene.pass(4 * DAY);
  assert.deepEqual(doubles(), [BOB, BOB, BOB, BOB, ROOT]);
  assert.deepEqual(
    scene.told("notice").map(({ count }) => count),
    [3, 1],
  );
  assert.equal(hop.taken.length, 1);
});

for (const [sender, srs, how, dsns] of [
  [SHORT, /^SRS1=[^=]*=forwarder\.example=.*@second\.example$/, "passed on as it came", 0],
  [BOB, /^SRS0=[^=]*=\w\w=1=\w+@second\.example$/, "told anew, where the address had to be kept", 1],
] as const) {
  test(`a bounce of two forwarders is ${how}, and goes from the first as one DSN to the sender`, async (t) => {
    const target = secretAddress();
    const [first, second] = [await freePort(), await freePort()];
    const refusals = new Map<string, string>();
    await using hop = await startScriptedHop((recipient) => refusals.get(recipient));
    await using a = await bounceForwarder(t, hop, {
      ...{ port: first, aliases: "alice: x@second.example", routes: { "second.example": second } },
    });
    await using b = await bounceForwarder(t, hop, {
      ...{ port: second, domain: "second.example", aliases: `x: ${target}` },
      routes: { "forwarder.example": first },
    });
    const until = async (done: () => boolean, what: string) =>
      await waitFor(() => (done() ? true : undefined), { seconds: 10, otherwise: () => what });
    assert.match(await bring(a, ALICE, LETTER, sender), /^250 /);
    const forwarded = String(hop.taken[0]?.reversePath);
    assert.match(forwarded, srs);

    assert.match(await bring(b, forwarded, remoteBounce({ target })), /^250 2\.0\.0 /);
    await until(() => hop.taken.length === 2, "no DSN came");
    const { recipient, reversePath, message } = hop.taken[1] ?? assert.fail();
    assert.deepEqual([recipient, reversePath], [sender, ""]);
    assert.match(message, /^Final-Recipient: rfc822; alice@forwarder\.example\r$/m);
    assertSilent(message, target);
    assert.ok(!message.includes("second.example"), "nor is the next forwarder named");

    refusals.set(sender, GONE);
    assert.match(await bring(b, forwarded, remoteBounce({ target })), /^250 2\.0\.0 /);
    const told = (of: InProcessForwarder, name: string) =>
      of.events.filter(({ event }) => event === name).length;
    await until(() => told(a, "double-bounce") === 1, "no double bounce");
    assert.equal(hop.taken.length, 2);
    assert.deepEqual([told(a, "bounce"), told(b, "bounce"), told(b, "double-bounce")], [2, 2 * dsns, 0]);
  });
}

test("who only asks whether an SRS address exists gets the honest answer, and takes nothing from its budget", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}\n${ALIASES}` });
  const { forwarder, hop } = scene;
  const srs = srsAddress(forwarder.rewriter, ALICE);
  const forged = "SRS0=aaaaaaaaaaaaaa=G3=source.example=bob@forwarder.example";
  for (const [to, answer] of Array.from({ length: 10 }, () => [
    [srs, /^250 /] as const,
    [forged, /^550 5\.7\.1 /] as const,
  ]).flat()) {
    using client = await hello(forwarder);
    await client.ask("MAIL FROM:<>");
    assert.match(await client.ask(`RCPT TO:<${to}>`), answer);
    assert.match(await client.ask("QUIT"), /^221 /);
  }
  const bounces = Array.from({ length: 5 }, () => ({ from: "", to: srs, message: remoteBounce({ target }) }));
  await bringAll(forwarder, bounces);
  await scene.taken(5);
  assert.equal(hop.taken.length, 5, "each told by itself");
});

for (const [who, settings] of [
  ["any client", {}],
  ["a client whose mail we owe", { trustedNetworks: ["127.0.0.1"], spoolFirst: true }],
] as const) {
  test(`of ${who}, an SRS address has its transaction to itself: 452 4.5.3 for whoever stands beside it`, async (t) => {
    const aliases = `alice: ${secretAddress()}\n${ALIASES}`;
    await using scene = await startScene(t, { aliases, ...settings });
    const { forwarder, hop } = scene;
    const srs = srsAddress(forwarder.rewriter, ALICE);
    const other = srsAddress(forwarder.rewriter, CAROL);
    using client = await hello(forwarder);
    for (const [first, second] of [
      [srs, CAROL],
      [CAROL, srs],
      [srs, other],
      [srs, srs],
    ] as const) {
      await client.ask("MAIL FROM:<>");
      assert.match(await client.ask(`RCPT TO:<${first}>`), /^250 /);
      assert.match(await client.ask(`RCPT TO:<${second}>`), /^452 4\.5\.3 /, `${second} behind ${first}`);
      await client.ask("RSET");
    }
    assert.equal(hop.taken.length, 0);
  });
}
