// `bounces.remember: headers`: a bounce that returns no more than the Message-ID comes home with what the sender gave with the
// message, his own identifiers and header; and what he did not ask for does not come.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BOUNCE_SETTINGS, createBouncePolicy, failuresAfter } from "@homing/forwarder";
import { createFakeClock } from "../packages/forwarder/src/testing/fake-clock.ts";
import { type Hop, hello, sendMessage, startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import {
  assertSilent,
  BOB,
  bounceForwarder,
  bring,
  mailAt,
  remoteBounce,
  secretAddress,
} from "./harness/bounce-peers.ts";
import { bounceOf, startBounceScene } from "./harness/bounce-scene.ts";
import type { InProcessForwarder, InProcessOptions } from "./harness/in-process.ts";

const ALICE = "alice@forwarder.example";
const DAY = 86_400_000;
const LETTER = [
  "Message-ID: <1@source.example>",
  "Date: Fri, 20 Nov 2026 20:31:40 +0000",
  "Subject: Lunch",
  "From: Bob <bob@source.example>",
  `To: ${ALICE}`,
  "X-Mailer: some program",
  "",
  "Hello!",
  "",
].join("\r\n");

interface Parameters {
  readonly mail?: string;
  readonly rcpt?: string;
  readonly to?: string;
}

async function rememberingForwarder(
  t: TestContext,
  hop: Hop,
  target: string,
  more: Partial<InProcessOptions> = {},
): Promise<InProcessForwarder> {
  const aliases = `alice: ${target}\ncarol: ${target}`;
  return await bounceForwarder(t, hop, { aliases, rememberHeaders: true, ...more });
}

/** Bob writes, and his mail leaves. @returns the envelope sender that it left with */
async function forward(
  forwarder: InProcessForwarder,
  hop: Hop,
  { mail = "", rcpt = "", to = ALICE }: Parameters,
): Promise<string> {
  const before = hop.messages.length;
  using client = await hello(forwarder);
  for (const command of [`MAIL FROM:<${BOB}> ${mail}`, `RCPT TO:<${to}> ${rcpt}`])
    assert.match(await client.ask(command.trimEnd()), /^250 /);
  assert.match(await sendMessage(client, LETTER), /^250 /);
  await mailAt(hop, before + 1);
  const senders = hop.commands.flatMap((line) => /^MAIL FROM:<([^>]+)>/.exec(line)?.[1] ?? []);
  return senders.at(-1) ?? "";
}

test("a bounce that returns the Message-ID alone comes home with the sender's own identifiers and header", async (t) => {
  const target = secretAddress();
  await using hop = await startHop();
  await using forwarder = await rememberingForwarder(t, hop, target);
  const srs = await forward(forwarder, hop, {
    mail: "RET=HDRS ENVID=QQ314159",
    rcpt: "NOTIFY=FAILURE,DELAY ORCPT=rfc822;team+2Blunch@source.example",
  });
  const returned = "Message-ID: <1@source.example>";
  assert.match(await bring(forwarder, srs, remoteBounce({ target, returned })), /^250 2\.0\.0 /);
  const [, dsn = ""] = await mailAt(hop, 2);
  for (const field of [
    "Original-Envelope-Id: QQ314159",
    "Original-Recipient: rfc822; ?team\\+lunch@source\\.example",
    "Final-Recipient: rfc822; alice@forwarder\\.example",
    "Arrival-Date: .+",
    "Message-ID: <1@source\\.example>",
    "Date: Fri, 20 Nov 2026 20:31:40 \\+0000",
    "Subject: Lunch",
    "From: Bob <bob@source\\.example>",
    "To: alice@forwarder\\.example",
  ])
    assert.match(dsn, new RegExp(`^${field}\r$`, "m"));
  assert.doesNotMatch(dsn, /X-Mailer/);
  assertSilent(dsn, target);
});

test("at another SRS address the same Message-ID finds nothing, and so does another Message-ID", async (t) => {
  const target = secretAddress();
  await using hop = await startHop();
  await using forwarder = await rememberingForwarder(t, hop, target);
  const srs = await forward(forwarder, hop, { mail: "ENVID=QQ314159" });
  const other = "carol@forwarder.example";
  assert.match(await bring(forwarder, other, "Subject: other\r\n\r\nHello\r\n", BOB), /^250 /);
  await mailAt(hop, 2);
  const ofCarol = hop.commands.flatMap((line) => /^MAIL FROM:<([^>]+)>/.exec(line)?.[1] ?? [])[1] ?? "";
  assert.notEqual(ofCarol, srs);
  await bring(forwarder, ofCarol, remoteBounce({ target }));
  await bring(forwarder, srs, remoteBounce({ target, messageId: "<2@source.example>" }));
  for (const dsn of (await mailAt(hop, 4)).slice(2)) assert.doesNotMatch(dsn, /QQ314159|Lunch|^From: Bob/m);
});

test("after seven days a link is gone", async (t) => {
  const target = secretAddress();
  const clock = createFakeClock();
  await using hop = await startHop();
  await using forwarder = await rememberingForwarder(t, hop, target, { clock });
  const srs = await forward(forwarder, hop, { mail: "ENVID=QQ314159" });
  clock.advance(7 * DAY - 1000);
  await bring(forwarder, srs, remoteBounce({ target }));
  clock.advance(1000);
  await bring(forwarder, srs, remoteBounce({ target }));
  const [, before = "", after = ""] = await mailAt(hop, 3);
  assert.match(before, /^Original-Envelope-Id: QQ314159\r$/m);
  assert.doesNotMatch(after, /QQ314159|Lunch/);
});

test("a link outlives the service", async (t) => {
  const target = secretAddress();
  const stateFolder = await mkdtemp(join(tmpdir(), "homing-links-"));
  t.after(() => rm(stateFolder, { recursive: true }));
  await using hop = await startHop();
  let srs: string;
  {
    await using before = await rememberingForwarder(t, hop, target, { stateFolder });
    srs = await forward(before, hop, { mail: "ENVID=QQ314159" });
  }
  await using after = await rememberingForwarder(t, hop, target, { stateFolder });
  await bring(after, srs, remoteBounce({ target }));
  const [, dsn = ""] = await mailAt(hop, 2);
  assert.match(dsn, /^Original-Envelope-Id: QQ314159\r$/m);
});

test("who asked for no DSN gets none: the bounce is taken, and noted", async (t) => {
  const target = secretAddress();
  await using hop = await startHop();
  await using forwarder = await rememberingForwarder(t, hop, target);
  const srs = await forward(forwarder, hop, { rcpt: "NOTIFY=NEVER" });
  assert.match(await bring(forwarder, srs, remoteBounce({ target })), /^250 2\.0\.0 /);
  const bounce = forwarder.events.find((event) => event.event === "bounce");
  assert.deepEqual([bounce?.way, bounce?.outcome, bounce?.dsn], ["silent", "not-asked", undefined]);
  assert.ok(forwarder.state);
  let failures = 0;
  for await (const { alias } of failuresAfter(forwarder.state.failures.notes))
    if (alias === ALICE) failures++;
  assert.equal(failures, 1);

  const delays = await forward(forwarder, hop, { rcpt: "NOTIFY=DELAY", to: "carol@forwarder.example" });
  await bring(forwarder, delays, remoteBounce({ target }));
  await bring(forwarder, delays, remoteBounce({ target, action: "delayed", status: "4.2.2" }));
  const [, , dsn = ""] = await mailAt(hop, 3);
  assert.match(dsn, /^Action: delayed\r$/m, "the failure was not asked for");
  assert.equal(hop.messages.length, 3);
});

test("the owner of the alias hears of a bounce, whatever its sender asked for himself", async (t) => {
  const target = secretAddress();
  await using hop = await startHop();
  const ways = { ...BOUNCE_SETTINGS.ways, hard: "both" } as const;
  const owner = { localPart: "owner", domain: "office.example" };
  const bouncePolicy = createBouncePolicy({ all: { ...BOUNCE_SETTINGS, ways, owner } });
  await using forwarder = await rememberingForwarder(t, hop, target, { bouncePolicy });
  const srs = await forward(forwarder, hop, { rcpt: "NOTIFY=NEVER" });
  assert.match(await bring(forwarder, srs, remoteBounce({ target })), /^250 2\.0\.0 /);
  const recipients = (): readonly string[] => hop.commands.filter((line) => line.startsWith("RCPT"));
  await mailAt(hop, 2);
  assert.deepEqual(recipients(), [`RCPT TO:<${target}>`, "RCPT TO:<owner@office.example>"]);
  const bounce = forwarder.events.find((event) => event.event === "bounce");
  assert.deepEqual([bounce?.way, bounce?.outcome], ["owner", "told"]);
});

test("without room for a link, and without a disk, mail is forwarded all the same", async (t) => {
  const target = secretAddress();
  await using hop = await startHop();
  const minFreeOctets = Number.MAX_SAFE_INTEGER;
  await using forwarder = await rememberingForwarder(t, hop, target, { minFreeOctets });
  await forward(forwarder, hop, { mail: "ENVID=QQ314159" });
  assert.ok(forwarder.state);
  for await (const { value } of forwarder.state.failures.notes.all("link")) assert.fail(value);
  await forwarder.state.spool.close();
  await forward(forwarder, hop, { mail: "ENVID=QQ314160" });
  assert.equal(hop.messages.length, 2);
  assert.ok(!forwarder.events.some(({ event }) => event === "error"));
});

test("where it was not asked for, nothing of a message is kept", async (t) => {
  const target = secretAddress();
  await using hop = await startHop();
  await using forwarder = await rememberingForwarder(t, hop, target, { rememberHeaders: false });
  const srs = await forward(forwarder, hop, { mail: "ENVID=QQ314159", rcpt: "NOTIFY=NEVER" });
  assert.ok(forwarder.state);
  for (const sort of ["link", "link-place", "link-end"])
    for await (const { value } of forwarder.state.failures.notes.all(sort)) assert.fail(value);
  await bring(forwarder, srs, remoteBounce({ target }));
  const [, dsn = ""] = await mailAt(hop, 2);
  assert.doesNotMatch(dsn, /QQ314159|Lunch/);
});

for (const [setting, isRemembered] of [
  ["headers", true],
  ["none", false],
] as const) {
  test(`the service with \`remember: ${setting}\`: the sender's Subject ${isRemembered ? "comes" : "does not come"} home`, async () => {
    await using stack = new AsyncDisposableStack();
    const settings = `domains: [forwarder.example]\nbounces: { remember: ${setting} }\n`;
    const scene = await startBounceScene(stack, { settings, aliases: [ALICE] });
    const srs = await scene.forwarded(BOB, ALICE);
    assert.match(await scene.send("", srs, bounceOf(BOB, ALICE, "hard")), /^250 /);
    await scene.settled();
    const dsn = scene.hop.arrived.find(
      ({ recipient, reversePath }) => recipient === BOB && reversePath === "",
    );
    assert.ok(dsn);
    assert.equal(/^Subject: hello\r$/m.test(String(dsn.message)), isRemembered);
  });
}
