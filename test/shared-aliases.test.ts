// An alias with several destinations, or with an extension: who hears of what fails behind it, and by whose settings.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNCE_SETTINGS, bounceSettingsKey, createBouncePolicy } from "@homing/forwarder";
import { startScene } from "./harness/bounce-crowd.ts";
import { assertSilent, BOB, bring, remoteBounce, secretAddress, srsAddress } from "./harness/bounce-peers.ts";

const ALICE = "alice@forwarder.example";
/** As the harness's aliases have it. */
const POSTMASTER = "root@home.example";
const GONE = "550 5.1.1 no such user";
const MESSAGE = `Message-ID: <1@source.example>\r\nFrom: <${BOB}>\r\nSubject: x\r\n\r\nHello!\r\n`;
const OWED = { trustedNetworks: ["127.0.0.1"], spoolFirst: true };

test("a destination refuses while the client waits, the other bounces later: the owner hears of each, the sender when both have failed", async (t) => {
  const [kept, refusing] = [secretAddress(), secretAddress()];
  await using scene = await startScene(t, { aliases: `alice: ${kept}, ${refusing}` });
  scene.refusals.set(refusing, GONE);
  assert.match(await bring(scene.forwarder, ALICE, MESSAGE, BOB), /^250 /);
  const first = (await scene.taken(2)).map(({ recipient }) => recipient);
  assert.deepEqual(first.toSorted(), [POSTMASTER, kept].toSorted());
  const srs = srsAddress(scene.forwarder.rewriter, ALICE);
  const bounce = remoteBounce({ target: kept, messageId: "<1@source.example>" });
  assert.match(await bring(scene.forwarder, srs, bounce), /^250 /);
  const told = (await scene.taken(4)).slice(2);
  assert.deepEqual(told.map(({ recipient }) => recipient).toSorted(), [BOB, POSTMASTER]);
  const dsn = told.find(({ recipient }) => recipient === BOB)?.message ?? "";
  assert.match(dsn, /^Action: failed\r$/m);
  for (const target of [kept, refusing]) assertSilent(dsn, target);
});

test("with no owner named, the postmaster of its domain hears of one destination that failed", async (t) => {
  const [kept, refusing] = [secretAddress(), secretAddress()];
  await using scene = await startScene(t, { aliases: `alice: ${kept}, ${refusing}`, ...OWED });
  scene.refusals.set(refusing, GONE);
  assert.match(await bring(scene.forwarder, ALICE, MESSAGE, BOB), /^250 /);
  const taken = await scene.taken(2);
  assert.deepEqual(taken.map(({ recipient }) => recipient).toSorted(), [POSTMASTER, kept].toSorted());
});

test("the owner of a list behind an alias hears nothing of the alias's other destination", async (t) => {
  const [box, member] = [secretAddress(), secretAddress()];
  const aliases = `alice: ${box}, list\nlist: ${member}\nowner-list: boss@office.example`;
  await using scene = await startScene(t, { aliases });
  const srs = srsAddress(scene.forwarder.rewriter, ALICE);
  const bounce = remoteBounce({ target: box, messageId: "<1@source.example>" });
  assert.match(await bring(scene.forwarder, srs, bounce), /^250 /);
  const [told] = await scene.taken(1);
  assert.equal(told?.recipient, POSTMASTER);
});

test("settings of an alias hold for its extensions", async (t) => {
  const target = secretAddress();
  const alice = { localPart: "alice", domain: "forwarder.example" };
  const { ways } = BOUNCE_SETTINGS;
  const silent = { ...BOUNCE_SETTINGS, ways: { ...ways, hard: "silent" } } as const;
  const bouncePolicy = createBouncePolicy({
    all: BOUNCE_SETTINGS,
    byAlias: new Map([[bounceSettingsKey(alice), silent]]),
  });
  const extended = "alice+x@forwarder.example";
  await using scene = await startScene(t, {
    aliases: `alice: ${target}\n"alice+x": ${target}`,
    recipientDelimiter: "+",
    bouncePolicy,
  });
  const srs = srsAddress(scene.forwarder.rewriter, extended);
  assert.match(await bring(scene.forwarder, srs, remoteBounce({ target })), /^250 /);
  const [bounce] = scene.told("bounce");
  assert.deepEqual([bounce?.alias, bounce?.way], [extended, "silent"]);
});
