// Sendmail with SRS by rulesets over Homing's socket map: deploy/sendmail/socket-map.
import assert from "node:assert/strict";
import { test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { type SendmailScene, startSendmailScene } from "./harness/sendmail-scene.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("sendmail-bin")) ?? false;
const ALICE = "alice@club.example";
const PRIVATE = "private@home.example";
const BOB = "Bob@origin.example";
const SRS = /^SRS0=[A-Za-z0-9]+=[A-Z2-7]{2}=origin\.example=Bob@srs\.club\.example$/;

/** Other stories of the file use it too: a Sendmail takes seconds to start. */
let scene: SendmailScene | undefined;
test.before(async () => {
  if (skip) return;
  scene = await startSendmailScene({
    ...{ recipe: "socket-map", command: "socketmap", side: "below", mailboxes: ["keeper"] },
    aliases: `alice: ${PRIVATE}\nboth: ${PRIVATE}, keeper\npostmaster: keeper\n`,
  });
  await scene.startHoming();
});
test.after(() => scene?.[Symbol.asyncDispose]());

function running(): SendmailScene {
  return scene ?? assert.fail("no scene");
}

/** The SRS sender of a message that was forwarded. */
async function forwarded(from = BOB): Promise<string> {
  const { hop, send, passedOn } = running();
  const before = hop.taken.length;
  assert.match(await send({ from, to: ALICE }), /^250 /);
  const taken = await passedOn((one) => hop.taken.indexOf(one) >= before && one.recipient === PRIVATE);
  return taken.reversePath;
}

test("Sendmail, socket map | SRS out | mail to an alias leaves with a sender of the SRS domain, in the case that it had", {
  skip,
}, async () => {
  assert.match(await forwarded(), SRS);
});

test("Sendmail, socket map | bounce back | a bounce to that sender goes to the original one", {
  skip,
}, async () => {
  const { send, passedOn } = running();
  assert.match(await send({ from: "", to: await forwarded() }), /^250 /);
  const bounce = await passedOn(({ reversePath, recipient }) => reversePath === "" && recipient === BOB);
  assert.match(bounce.message, /Hello!/);
});

test("Sendmail, socket map | private DSN: no | a bounce reaches the sender as it was written, with the private address", {
  skip,
}, async () => {
  const { send, passedOn } = running();
  const message = `From: MAILER-DAEMON@home.example\r\nSubject: failed\r\n\r\nuser unknown: ${PRIVATE}\r\n`;
  assert.match(await send({ from: "", to: await forwarded(), message }), /^250 /);
  const bounce = await passedOn((one) => one.recipient === BOB && one.message.includes("user unknown"));
  assert.ok(bounce.message.includes(PRIVATE));
});

for (const [what, change] of [
  ["a forged tag", (srs: string) => srs.replace(/^SRS0=[^=]+/, "SRS0=AAAAAAAAAAAA")],
  ["another sender", (srs: string) => srs.replace("=Bob@", "=carol@")],
  ["an old stamp", (srs: string) => srs.replace(/=[A-Z2-7]{2}=origin/, "=AA=origin")],
  ["no SRS address", () => "somebody@srs.club.example"],
] as const) {
  test(`Sendmail, socket map | forged refused | ${what} is refused at RCPT`, { skip }, async () => {
    const { send } = running();
    assert.match(await send({ from: "", to: change(await forwarded()) }), /^550 5\.7\.1 /);
  });
}

test("Sendmail, socket map | forged refused | however a forged SRS recipient or sender is spelt, it is refused", {
  skip,
}, async () => {
  const { send } = running();
  const user = "SRS0=abcdefgh=JL=origin.example=bob";
  const domain = "srs.club.example";
  for (const spelt of [
    ...[`${user}@${domain}.`, `${user}%${domain}`, `${user}%${domain}@club.example`],
    ...[`${domain}!${user}`, `${domain}!${user}@club.example`, `${user}@(c)${domain}`, `nobody@${domain}`],
  ]) {
    assert.match(await send({ from: "", to: spelt }), /^550 5\.7\.1 /, spelt);
    assert.match(await send({ from: spelt, to: ALICE }), /^550 5\.7\.1 /, spelt);
  }
});

test("Sendmail, socket map | SPF: no | a map is asked for an address, and does not know the client", {
  skip,
}, async () => {
  const { send, log } = running();
  const before = log().length;
  assert.match(await send({ from: "forged@origin.example", to: ALICE, client: "127.0.0.66" }), /^250 /);
  assert.doesNotMatch(log().slice(before), /127\.0\.0\.66|"spf"/);
});

test("Sendmail, socket map | local mail untouched | mail that stays keeps its sender, also the copy of an alias that leaves too", {
  skip,
}, async () => {
  const { site, send, passedOn } = running();
  assert.match(await send({ from: "carol@origin.example", to: "both@club.example" }), /^250 /);
  await passedOn(({ reversePath }) => /^SRS0=.*=carol@srs\.club\.example$/.test(reversePath));
  assert.match(
    await site.mailbox("keeper", /carol/),
    /^Return-Path: <carol@origin\.example>$|^From carol@origin\.example /m,
  );
});

test("senders of the site, and the null sender, leave as they are", { skip }, async () => {
  const { send, passedOn } = running();
  for (const from of ["keeper@club.example", ""]) {
    assert.match(await send({ from, to: ALICE }), /^250 /);
    await passedOn(({ reversePath, recipient }) => reversePath === from && recipient === PRIVATE);
  }
});

test("a stranger may write to the SRS domain, and relays nothing else", { skip }, async () => {
  const { send } = running();
  assert.match(
    await send({ from: BOB, to: "victim@elsewhere.example" }),
    /^550 5\.7\.1 .*[Rr]elaying denied/,
  );
});

test("while Homing is down nothing leaves unrewritten: it waits in the queue, and a bounce at its sender", {
  skip,
}, async () => {
  const { site, hop, send, passedOn, startHoming, stopHoming } = running();
  const srs = await forwarded();
  await stopHoming();
  const before = hop.taken.length;
  assert.match(await send({ from: "dave@origin.example", to: ALICE }), /^250 /);
  assert.match(await send({ from: "", to: srs }), /^451 4\.7\.1 /);
  await site.waitForLog(/dave@origin\.example|stat=(Deferred|queued).*no SRS address/);
  await waitFor(async () => (/dave@origin\.example/.test(await site.queue()) ? true : undefined), {
    seconds: 10,
    otherwise: async () => `not in the queue${await site.tail()}`,
  });
  assert.equal(hop.taken.length, before);
  await startHoming();
  await passedOn(({ reversePath }) => /^SRS0=.*=dave@srs\.club\.example$/.test(reversePath));
});
