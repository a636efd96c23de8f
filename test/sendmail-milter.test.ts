// Sendmail with Homing's milter, and its SRS domain routed to `homing serve`: deploy/sendmail.
import assert from "node:assert/strict";
import { test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { assertSilent, remoteBounce } from "./harness/bounce-peers.ts";
import { type Knot, startKnot } from "./harness/knot.ts";
import { type SendmailScene, startSendmailScene } from "./harness/sendmail-scene.ts";

const skip = (await storiesNeed("sendmail-bin", "knot")) ?? false;
const ALICE = "alice@club.example";
const GONE = "gone@club.example";
const PRIVATE = "xprivatex@xhomex.example";
const VANISHED = "xvanishedx@xhomex.example";
const BOB = "bob@origin.example";
const FORGER = "127.0.0.66";

let knot: Knot | undefined;
let scene: SendmailScene | undefined;
test.before(async () => {
  if (skip) return;
  knot = await startKnot({
    "origin.example": '@ TXT "v=spf1 ip4:127.0.0.9 -all"\n',
    "client.example": "",
    "club.example": "",
  });
  const { host, port } = knot.place;
  scene = await startSendmailScene({
    ...{ recipe: "", command: "serve", side: "above", mailboxes: ["keeper"] },
    aliases: `alice: ${PRIVATE}\ngone: ${VANISHED}\nboth: ${PRIVATE}, ${VANISHED.replace("vanished", "other")}\npostmaster: keeper\n`,
    config: `\ndns: { servers: ["${host}:${port}"] }\nauthentication: { mode: enforce }\n`,
    refusal: (recipient) => (recipient === VANISHED ? "550 5.1.1 no such user here" : undefined),
  });
  await scene.startHoming();
});
test.after(async () => {
  await scene?.[Symbol.asyncDispose]();
  await knot?.stop();
});

function running(): SendmailScene {
  return scene ?? assert.fail("no scene");
}

async function forwarded() {
  const { hop, send, passedOn } = running();
  const before = hop.taken.length;
  assert.match(await send({ from: BOB, to: ALICE }), /^250 /);
  return await passedOn((one) => hop.taken.indexOf(one) >= before && one.recipient === PRIVATE);
}

test("Sendmail, milter | SRS out | mail to an alias leaves with a sender of the SRS domain", {
  skip,
}, async () => {
  const { reversePath } = await forwarded();
  assert.match(reversePath, /^SRS0=.+=origin\.example=bob@srs\.club\.example$/);
});

test("Sendmail, milter | bounce back | a bounce to that sender becomes a report to the original one", {
  skip,
}, async () => {
  const { hop, send, passedOn } = running();
  const { reversePath } = await forwarded();
  const before = hop.taken.length;
  const message = remoteBounce({ target: PRIVATE });
  assert.match(await send({ from: "", to: reversePath, message }), /^250 /);
  const report = await passedOn((one) => hop.taken.indexOf(one) >= before && one.recipient === BOB);
  assert.equal(report.reversePath, "");
  assert.match(report.message, /^Content-Type: multipart\/report/im);
});

test("Sendmail, milter | private DSN | of what Sendmail itself cannot deliver behind the alias, the sender reads in terms of the alias", {
  skip,
}, async () => {
  const { hop, send, passedOn } = running();
  const before = hop.taken.length;
  assert.match(await send({ from: BOB, to: GONE }), /^250 /);
  const report = await passedOn((one) => hop.taken.indexOf(one) >= before && one.recipient === BOB);
  assert.equal(report.reversePath, "");
  assert.match(report.message, /gone@club\.example/);
  assertSilent(report.message, VANISHED);
  for (const word of ["xvanishedx", "xhomex"]) assert.ok(!report.message.includes(word), report.message);
});

for (const [what, change] of [
  ["a forged tag", (srs: string) => srs.replace(/^SRS0=[^=]+/, "SRS0=AAAAAAAAAAAA")],
  ["another sender", (srs: string) => srs.replace("=bob@", "=carol@")],
] as const) {
  test(`Sendmail, milter | forged refused | ${what} is refused at RCPT`, { skip }, async () => {
    const { send } = running();
    const { reversePath } = await forwarded();
    assert.match(await send({ from: "", to: change(reversePath) }), /^550 5\.7\.1 /);
  });
}

test("Sendmail, milter | forged refused | mail that is no bounce does not come through a good address", {
  skip,
}, async () => {
  const { send } = running();
  const { reversePath } = await forwarded();
  assert.match(await send({ from: BOB, to: reversePath }), /^550 5\.7\.1 /);
});

test("Sendmail, milter | forged refused | however a forged SRS recipient or sender is spelt, it is refused", {
  skip,
}, async () => {
  const { send } = running();
  const user = "SRS0=abcdefgh=JL=origin.example=bob";
  const domain = "srs.club.example";
  const spellings = [
    ...[`${user}@${domain}.`, `${user}%${domain}`, `${user}%${domain}@club.example`],
    ...[`${domain}!${user}`, `${domain}!${user}@club.example`, `@club.example:${user}@${domain}`],
    ...[
      ` ${user} @ ${domain} `,
      `${user}@(c)${domain}`,
      `${user}@${domain} (c)`,
      `S\\R${user.slice(2)}@${domain}`,
    ],
  ];
  for (const spelt of spellings) {
    assert.match(await send({ from: "", to: spelt }), /^55[03] 5\.\d\.\d /, spelt);
    assert.match(await send({ from: spelt, to: ALICE }), /^55[03] 5\.\d\.\d /, spelt);
  }
  assert.match(await send({ from: "", to: `nobody@${domain}` }), /^550 5\.1\.1 .*no such address here/);
});

test("Sendmail, milter | private DSN | an address with a detail leads where its name does, and tells as little", {
  skip,
}, async () => {
  const { hop, send, passedOn } = running();
  const before = hop.taken.length;
  assert.match(await send({ from: BOB, to: "gone+x@club.example" }), /^250 /);
  const report = await passedOn((one) => hop.taken.indexOf(one) >= before && one.recipient === BOB);
  assertSilent(report.message, VANISHED);
});

test("Sendmail, milter | SPF | a client that the sender's domain disowns is refused, and the field says what was found of others", {
  skip,
}, async () => {
  const { send } = running();
  assert.match(await send({ from: BOB, to: ALICE, client: FORGER }), /^550 5\.7\.23 /);
  const { message } = await forwarded();
  assert.match(message, /^Received-SPF: pass .*client-ip=127\.0\.0\.9/ms);
});

test("Sendmail, milter | local mail untouched | mail that stays keeps its sender", { skip }, async () => {
  const { site, send } = running();
  assert.match(await send({ from: BOB, to: "keeper@club.example" }), /^250 /);
  const mailbox = await site.mailbox("keeper", /Hello!/);
  assert.match(mailbox, /^From bob@origin\.example |^Return-Path: <bob@origin\.example>/m);
  assert.doesNotMatch(mailbox, /SRS0/);
});

test("two recipients of one message get one sender and one field", { skip }, async () => {
  const { hop, send, passedOn } = running();
  const before = hop.taken.length;
  assert.match(await send({ from: BOB, to: "both@club.example" }), /^250 /);
  const isNew = (one: (typeof hop.taken)[number]): boolean => hop.taken.indexOf(one) >= before;
  const one = await passedOn((taken) => isNew(taken) && taken.recipient === PRIVATE);
  const other = await passedOn((taken) => isNew(taken) && taken.recipient.includes("xotherx"));
  assert.equal(one.reversePath, other.reversePath);
  assert.equal(one.message.match(/^Received-SPF:/gm)?.length, 1);
});

test("senders of the site, and the null sender, leave as they are", { skip }, async () => {
  const { send, passedOn } = running();
  for (const from of ["keeper@club.example", ""]) {
    assert.match(await send({ from, to: ALICE }), /^250 /);
    await passedOn(({ reversePath, recipient }) => reversePath === from && recipient === PRIVATE);
  }
});

test("while Homing is down every client hears 451, and afterwards all is as before", { skip }, async () => {
  const { hop, send, startHoming, stopHoming } = running();
  const before = hop.taken.length;
  await stopHoming();
  assert.match(await send({ from: BOB, to: ALICE }), /^4[25]1 4\.\d\.\d /);
  assert.equal(hop.taken.length, before);
  await startHoming();
  assert.match((await forwarded()).reversePath, /^SRS0=/);
});
