// Mail that the queue gives up: every message is told of, one by one or in a notice; of several destinations behind an alias the
// sender hears when all have failed, and its owner of each.
import assert from "node:assert/strict";
import { test } from "node:test";
import { BOUNCE_SETTINGS, createBouncePolicy, QUEUE_TIMES } from "@homing/forwarder";
import { bringAll, type Scene, startScene } from "./harness/bounce-crowd.ts";
import { assertSilent, BOB, remoteBounce, secretAddress, srsAddress } from "./harness/bounce-peers.ts";
import type { Taken } from "./harness/scripted-hop.ts";

const ALICE = "alice@forwarder.example";
const OWNER = "owner@office.example";
const HOUR = 3600;
const DAY = 86_400;
const GONE = "550 5.1.1 no such user";
const GREYLISTED = "450 4.2.1 later";
/** Whose mail goes to the queue first: then a refusal is ours to tell. */
const OWED = { trustedNetworks: ["127.0.0.1"], spoolFirst: true };

function letter(messageId: string): string {
  return `Message-ID: ${messageId}\r\nFrom: <${BOB}>\r\nSubject: x\r\n\r\nHello!\r\n`;
}

async function send({ forwarder }: Scene, ids: readonly string[], from = BOB, to = ALICE): Promise<void> {
  const letters = ids.map((id) => ({ from, to, message: letter(id) }));
  for (const reply of await bringAll(forwarder, letters)) assert.match(reply, /^250 2\.0\.0 kept/);
}

async function bounce({ forwarder }: Scene, target: string, messageId: string): Promise<void> {
  const to = srsAddress(forwarder.rewriter, ALICE);
  const [reply] = await bringAll(forwarder, [{ from: "", to, message: remoteBounce({ target, messageId }) }]);
  assert.match(String(reply), /^250 2\.0\.0 /);
}

/** What its text says of the mail. */
function gist({ recipient, message }: Taken): readonly (string | undefined)[] {
  const [, action, status] = /^Action: (.*)\r\nStatus: (.*)\r$/m.exec(message) ?? [];
  return [recipient, action, status];
}

test("each failure of ours is told: 20 an hour one by one, the further ones in one notice within the hour, and then 20 again", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}`, ...OWED });
  scene.refusals.set(target, GONE);
  const { hop } = scene;
  const ids = Array.from({ length: 70 }, (_, at) => `<m${at}@source.example>`);

  await send(scene, ids.slice(0, 45));
  await scene.taken(20);
  await scene.pass(HOUR - 120);
  assert.equal(hop.taken.length, 20);
  await scene.pass(240);
  assert.equal(hop.taken.length, 21);
  assert.deepEqual(
    scene.told("notice").map(({ to, count }) => [to, count]),
    [[BOB, 25]],
  );
  await send(scene, ids.slice(45));
  await scene.taken(41);
  await scene.pass(HOUR + 120);

  const told = hop.taken;
  assert.equal(told.length, 42);
  assert.deepEqual(
    scene.told("notice").map(({ count }) => count),
    [25, 5],
  );
  assert.deepEqual(new Set(told.map((one) => gist(one).join())), new Set([`${BOB},failed,5.1.1`]));
  for (const { message } of told) {
    assert.match(message, /^Final-Recipient: rfc822; alice@forwarder\.example\r$/m);
    assertSilent(message, target);
  }
  const mentions = (id: string) => told.filter(({ message }) => message.includes(id)).length;
  assert.deepEqual(new Set(ids.map(mentions)), new Set([1]), "each Message-ID in one of them");
});

test("the budget of one sender and alias is no other's", async (t) => {
  const targets = [secretAddress(), secretAddress()] as const;
  const aliases = `alice: ${targets[0]}\ncarol: ${targets[1]}`;
  await using scene = await startScene(t, { aliases, ...OWED });
  for (const target of targets) scene.refusals.set(target, GONE);
  const ids = Array.from({ length: 25 }, (_, at) => `<m${at}@source.example>`);
  await send(scene, ids);
  await send(scene, ids.slice(0, 2), "eve@elsewhere.example");
  await send(scene, ids.slice(0, 2), BOB, "carol@forwarder.example");
  await scene.taken(24);
});

test("of a delay the sender is told once, and then of the failure", async (t) => {
  const target = secretAddress();
  await using scene = await startScene(t, { aliases: `alice: ${target}`, ...OWED });
  scene.refusals.set(target, GREYLISTED);
  await send(scene, ["<1@source.example>"]);
  await scene.pass(2 * DAY);
  assert.deepEqual(scene.hop.taken.map(gist), [[BOB, "delayed", "4.2.1"]]);
  await scene.pass(2 * DAY + HOUR);
  assert.deepEqual(scene.hop.taken.map(gist), [
    [BOB, "delayed", "4.2.1"],
    [BOB, "failed", "4.4.7"],
  ]);
});

test("of several destinations the owner hears as they fail, and the sender when we and others say that all have", async (t) => {
  const targets = [secretAddress(), secretAddress(), secretAddress()] as const;
  const [ours, theirs, late] = targets;
  const bouncePolicy = createBouncePolicy({
    all: { ...BOUNCE_SETTINGS, owner: { localPart: "owner", domain: "office.example" } },
  });
  const aliases = `alice: ${targets.join(", ")}`;
  await using scene = await startScene(t, { aliases, bouncePolicy, ...OWED });
  const { hop, refusals } = scene;
  refusals.set(ours, GONE);
  refusals.set(late, GREYLISTED);
  const [one, other] = ["<1@source.example>", "<2@source.example>"] as const;
  await send(scene, [one, other]);
  const failures = () => hop.taken.filter(({ recipient }) => recipient !== theirs);
  await scene.taken(4);
  assert.deepEqual(failures().map(gist), [
    [OWNER, "failed", "5.1.1"],
    [OWNER, "failed", "5.1.1"],
  ]);

  await bounce(scene, theirs, one);
  await scene.taken(5);
  refusals.set(late, GONE);
  await scene.pass(HOUR);
  await scene.taken(8);
  const toSender = failures().filter(({ recipient }) => recipient === BOB);
  assert.deepEqual(toSender.map(gist), [[BOB, "failed", "5.1.1"]]);
  assert.ok(toSender[0]?.message.includes(one), "of the other mail one destination has not failed");
  for (const target of targets) assertSilent(String(toSender[0]?.message), target);
  const toOwner = failures().filter(({ recipient }) => recipient === OWNER);
  assert.equal(toOwner.length, 5, "of the last destination, too");

  await bounce(scene, theirs, other);
  await scene.taken(10);
  const last = failures().slice(-2);
  assert.deepEqual(last.map(({ recipient }) => recipient).toSorted(), [BOB, OWNER]);
  for (const { message } of last) assert.ok(message.includes(other));
});

test("mail without a Message-ID is told of, too, when all its destinations have failed", async (t) => {
  const targets = [secretAddress(), secretAddress()] as const;
  await using scene = await startScene(t, { aliases: `alice: ${targets.join(", ")}`, ...OWED });
  for (const target of targets) scene.refusals.set(target, GONE);
  const bare = { from: BOB, to: ALICE, message: "Subject: x\r\n\r\nHello!\r\n" };
  await bringAll(scene.forwarder, [bare, bare]);
  await scene.taken(6);
  await scene.pass(2 * HOUR);
  const told = scene.hop.taken.filter(({ recipient }) => recipient === BOB);
  assert.deepEqual(told.map(gist), [
    [BOB, "failed", "5.1.1"],
    [BOB, "failed", "5.1.1"],
  ]);
});

interface Known {
  readonly alias: string | undefined;
  readonly destination: string | undefined;
  readonly count: number;
  readonly trustworthy: boolean;
}

/** In the order of their aliases and destinations: those of one second have none of their own. */
async function known(scene: Scene): Promise<readonly Known[]> {
  const failures = await scene.failures();
  for (const failure of failures) assert.equal(failure.enhanced, "5.1.1");
  return inOrder(
    failures.map(({ alias, destination, count, trustworthy }) => ({
      alias,
      destination,
      count,
      trustworthy,
    })),
  );
}

function inOrder(failures: readonly Known[]): readonly Known[] {
  return failures.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

test("the log of failures has each with alias and destination, and says which of them we saw ourselves", async (t) => {
  const targets = [secretAddress(), secretAddress(), secretAddress()] as const;
  const [dead, doubted, both] = targets;
  const carol = "carol@forwarder.example";
  const list = "list@forwarder.example";
  const aliases = `alice: ${dead}\ncarol: ${doubted}\nlist: ${dead}, ${both}`;
  await using scene = await startScene(t, { aliases });
  for (const target of [dead, both]) scene.refusals.set(target, GONE);
  const mail = { from: BOB, message: letter("<1@source.example>") };
  const mails = [ALICE, ALICE, ALICE, list].map((to) => ({ ...mail, to }));
  for (const reply of await bringAll(scene.forwarder, mails)) assert.match(reply, /^550 5\.1\.1 /);
  const to = srsAddress(scene.forwarder.rewriter, carol);
  await bringAll(scene.forwarder, [{ from: "", to, message: remoteBounce({ target: doubted }) }]);

  const bounced = { alias: carol, destination: doubted, count: 1, trustworthy: false };
  assert.deepEqual(await known(scene), [bounced]);
  await scene.pass(60);
  const ours = [
    { alias: ALICE, destination: dead, count: 3 },
    { alias: list, destination: dead, count: 1 },
    { alias: list, destination: both, count: 1 },
  ].map((one) => ({ ...one, trustworthy: true }));
  assert.deepEqual(await known(scene), inOrder([bounced, ...ours]));
});

test("what the queue gives up is in the log of failures as seen by us: each destination, and what a notice tells, too", async (t) => {
  const targets = [secretAddress(), secretAddress(), secretAddress()] as const;
  const [one, other, carols] = targets;
  const aliases = `alice: ${one}, ${other}\ncarol: ${carols}`;
  await using scene = await startScene(t, { aliases, ...OWED });
  for (const target of targets) scene.refusals.set(target, GONE);
  const carol = "carol@forwarder.example";
  await send(scene, ["<1@source.example>"]);
  await send(
    scene,
    Array.from({ length: 22 }, (_, at) => `<m${at}@source.example>`),
    BOB,
    carol,
  );
  await scene.taken(21);
  await scene.pass(HOUR + 120);
  assert.deepEqual(
    scene.told("notice").map(({ count }) => count),
    [2],
  );
  const seen = { count: 1, trustworthy: true };
  const expected = [
    ...[one, other].map((destination) => ({ alias: ALICE, destination, ...seen })),
    ...Array.from({ length: 22 }, () => ({ alias: carol, destination: carols, ...seen })),
  ];
  assert.deepEqual(await known(scene), inOrder(expected));
});

test("a sender's BATV tag stays in the recipient of his DSN, whoever found that his mail failed", async (t) => {
  const target = secretAddress();
  const tagged = "prvs=3741a2b3c4=bob@source.example";
  await using scene = await startScene(t, { aliases: `alice: ${target}`, ...OWED });
  await send(scene, ["<1@source.example>"], tagged);
  const [forwarded] = await scene.taken(1);
  const to = String(forwarded?.reversePath);
  await bringAll(scene.forwarder, [{ from: "", to, message: remoteBounce({ target }) }]);
  scene.refusals.set(target, GONE);
  await send(scene, ["<2@source.example>"], tagged);
  const told = (await scene.taken(3)).slice(1);
  assert.deepEqual(told.map(gist), [
    [tagged, "failed", "5.1.1"],
    [tagged, "failed", "5.1.1"],
  ]);
});

test("a message, the hour of a notice and a DSN together live less than the seven days of a BATV tag", () => {
  assert.ok(QUEUE_TIMES.mail + HOUR + QUEUE_TIMES.dsn < 7 * DAY);
});
