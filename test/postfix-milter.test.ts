// Postfix with Homing as its milter, as deploy/postfix-milter sets it up: SRS and SPF for a site that keeps its mail server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { startHop } from "../packages/forwarder/src/testing/smtp-peers.ts";
import { fieldsOf } from "./harness/authentication-scene.ts";
import { storiesNeed } from "./harness/availability.ts";
import { assertSilent, remoteBounce, secretAddress } from "./harness/bounce-peers.ts";
import { BOB, STRANGER, type StartedSite, startMilterSite } from "./harness/postfix-milter-site.ts";
import { startRefusingMilter } from "./harness/refusing-milter.ts";
import { waitFor } from "./harness/wait.ts";

const skip = (await storiesNeed("postfix")) ?? false;
const ANN = "ann@home.example";
const JOE = "joe@home.example";
const SRS = /^SRS0=[^=]+=[^=]+=origin\.example=bob@srs\.home\.example$/;
const UNWRAP = [["bounces: keep", "bounces: unwrap"]] as const;

/** The address that a bounce of ann's mail has to go to. */
async function forwarded({ send, sentTo }: StartedSite, target: string): Promise<string> {
  const replies = await send({ from: BOB, to: [ANN] });
  assert.match(replies.at(-1) ?? "", /^250 /);
  return (await sentTo(target)).reversePath;
}

function named(message: string, name: string): readonly string[] {
  return fieldsOf(message).flatMap(([one, value]) => (one === name ? [value] : []));
}

test("Postfix, milter | SRS out | mail to an alias that leads elsewhere leaves with an SRS sender", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  assert.match(await forwarded(site, target), SRS);
  const { message } = await site.sentTo(target);
  assert.deepEqual(named(message, "to"), [ANN]);
});

test("Postfix, milter | bounce back | where the milter unwraps, a bounce goes to the original sender", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target, replaced: UNWRAP });
  const to = await forwarded(site, target);
  const replies = await site.send({
    from: "",
    to: [to],
    message: remoteBounce({ target }),
    client: STRANGER,
  });
  assert.match(replies[1] ?? "", /^250 /);
  assert.equal((await site.sentTo(BOB)).reversePath, "");
});

test("Postfix, milter | private DSN | the sender is told in terms of the alias, through Postfix", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  const to = await forwarded(site, target);
  await site.send({ from: "", to: [to], message: remoteBounce({ target }), client: STRANGER });
  const { reversePath, message } = await site.sentTo(BOB);
  assert.equal(reversePath, "");
  assert.match(message, /Final-Recipient: rfc822; ?ann@home\.example/i);
  assertSilent(message, target, ["example"]);
});

test("a sender that does not fit into an address is kept: the mail leaves, and its bounce comes to him", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  // As newsletters have them, at the domain whose SPF record names the client.
  const long = `bounces+${"1234567-abcd-".repeat(4)}ann=home.example@origin.example`;
  const replies = await site.send({ from: long, to: [ANN] });
  assert.match(replies.at(-1) ?? "", /^250 /);
  const { reversePath } = await site.sentTo(target);
  assert.match(reversePath, /^SRS0=[^=]+=[^=]+=1=[a-z0-9]+@srs\.home\.example$/);
  await site.send({ from: "", to: [reversePath], message: remoteBounce({ target }), client: STRANGER });
  const report = await site.sentTo(long);
  assert.equal(report.reversePath, "");
  assertSilent(report.message, target, ["example"]);
});

test("Postfix, milter | forged refused | a forged SRS recipient is 550 at RCPT, beside a good one", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  const good = await forwarded(site, target);
  const replies = await site.send({ from: "", to: [good.replace("=bob@", "=eve@"), good], client: STRANGER });
  assert.match(replies[0] ?? "", /^550 5\.7\.1 .*this address takes only bounces/);
  assert.match(replies[1] ?? "", /^250 /);
  const answer = await site.send({ from: BOB, to: [good] });
  assert.match(answer[0] ?? "", /^550 5\.7\.1 /);
});

test("Postfix, milter | forged refused | however a forged SRS recipient or sender is spelt, it is refused", {
  skip,
}, async (t) => {
  const site = await startMilterSite(t, { target: secretAddress() });
  const user = "SRS0=abcdefgh=G3=origin.example=bob";
  const domain = "srs.home.example";
  const spellings = [
    ...[`${user}@${domain}.`, `${user}%${domain}`, `${user}%${domain}@home.example`],
    ...[`${domain}!${user}`, `${domain}!${user}@home.example`, `@home.example:${user}@${domain}`],
    ...[
      ` ${user} @ ${domain} `,
      `${user}@(c)${domain}`,
      `${user}@${domain} (c)`,
      `S\\R${user.slice(2)}@${domain}`,
    ],
  ];
  for (const spelt of spellings) {
    const recipient = await site.send({ from: "", to: [spelt], client: STRANGER });
    assert.match(recipient.join(), /^(?:55[03] 5\.\d\.\d |454 4\.7\.1 .*Relay access denied)/, spelt);
    const sender = await site.send({ from: spelt, to: [JOE], client: STRANGER });
    assert.match(sender.join(), /^55[03] 5\.\d\.\d /, spelt);
  }
  const nobody = await site.send({ from: "", to: ["nobody@srs.home.example"], client: STRANGER });
  assert.match(nobody.join(), /^550 5\.1\.1 no such address here$/);
});

test("Postfix, milter | private DSN | an address with an extension leads where its name does, and tells as little", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, {
    target,
    settings: { recipient_delimiter: "+" },
    refusal: (recipient) => (recipient === target ? "550 5.1.1 no such user" : undefined),
  });
  assert.match((await site.send({ from: BOB, to: ["ann+x@home.example"] })).join(), /250 .*250 /);
  const { reversePath, message } = await site.sentTo(BOB);
  assert.equal(reversePath, "");
  assert.match(message, /^Content-Type: multipart\/report/m);
  assertSilent(message, target, ["example"]);
});

test("Postfix, milter | SPF | who fails is refused for every recipient; who passes has one field on top", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  const refused = await site.send({ from: BOB, to: [ANN, JOE], client: STRANGER });
  assert.equal(refused.length, 2);
  for (const reply of refused) assert.match(reply, /^550 5\.7\.23 .*100% of our mail comes from elsewhere/);
  const taken = await site.send({ from: BOB, to: [ANN, JOE] });
  assert.match(taken[2] ?? "", /^250 /);
  const { message } = await site.sentTo(target);
  const fields = named(message, "received-spf");
  assert.equal(fields.length, 1, message);
  assert.match(fields[0] ?? "", /^pass .*client-ip=127\.0\.0\.5;/);
  // Postfix delivers it to the alias with fields of its own on top, and nothing between.
  const names = fieldsOf(message).map(([name]) => name);
  assert.equal(names.indexOf("received-spf"), names.lastIndexOf("received") - 1, names.join());
});

test("Postfix, milter | local mail untouched | mail to a mailbox keeps its sender, and ours keep theirs", {
  skip,
}, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  await site.send({ from: BOB, to: [JOE] });
  const [message] = await site.postfix.mail("joe");
  assert.match(String(message), /^Return-Path: <bob@origin\.example>$/m);
  await site.send({ from: JOE, to: [ANN], client: "127.0.0.1" });
  assert.equal((await site.sentTo(target)).reversePath, JOE);
});

test("while Homing is down, clients hear 451, and nothing leaves unrewritten", { skip }, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target });
  await site.homing[0]?.stop();
  const replies = await site.send({ from: BOB, to: [ANN] });
  assert.match(replies.join(), /^451 4\.7\.1 /);
  const connection = await site.postfix.waitForLog(/connect to Milter service unix:homing\/milter/);
  assert.match(connection, /warning/);
  assert.deepEqual(site.elsewhere.taken, []);
});

test("two of our milters in a chain wrap a sender once and bring a bounce home once", { skip }, async (t) => {
  const target = secretAddress();
  const site = await startMilterSite(t, { target, replaced: UNWRAP, twice: true });
  const to = await forwarded(site, target);
  assert.match(to, SRS);
  await site.send({ from: "", to: [to], message: remoteBounce({ target }), client: STRANGER });
  await site.sentTo(BOB);
  await waitFor(
    async () => String((await site.postfix.run(["postqueue", "-p"])).stdout).includes("empty") || undefined,
    {
      seconds: 15,
      otherwise: () => site.postfix.tail(),
    },
  );
  assert.deepEqual(
    site.elsewhere.taken.map(({ recipient }) => recipient),
    [target, BOB],
  );
});

test("a milter behind ours does not stop the unwrapped copy, so that ours is the last one where it unwraps", {
  skip,
}, async (t) => {
  const second = await startRefusingMilter(t);
  const target = secretAddress();
  for (const [chain, arrives] of [
    [`unix:homing/milter, ${second}`, [BOB]],
    [`${second}, unix:homing/milter`, []],
  ] as const) {
    const replaced = [...UNWRAP, ["smtpd_milters = unix:homing/milter", `smtpd_milters = ${chain}`]] as const;
    const site = await startMilterSite(t, { target, replaced });
    const to = await forwarded(site, target);
    const message = remoteBounce({ target });
    const replies = await site.send({ from: "", to: [to, JOE], message, client: STRANGER });
    assert.match(replies.join(), /^550 5\.7\.1 refused by the other milter,250 .*,250 /);
    await site.postfix.mail("joe");
    const isEmpty = async () =>
      String((await site.postfix.run(["postqueue", "-p"])).stdout).includes("empty");
    await waitFor(async () => (await isEmpty()) || undefined, {
      seconds: 15,
      otherwise: () => site.postfix.tail(),
    });
    const bounces = site.elsewhere.taken.filter(({ recipient }) => recipient !== target);
    assert.deepEqual(
      bounces.map(({ recipient }) => recipient),
      arrives,
    );
  }
});

test("what the client asked of notifications survives the new sender", { skip }, async (t) => {
  const hop = await startHop({ EHLO: "250-hop.example\r\n250-DSN\r\n250 8BITMIME" });
  t.after(() => hop[Symbol.asyncDispose]());
  const site = await startMilterSite(t, { target: "carol@club.example", elsewhere: hop.port });
  await site.send({
    from: BOB,
    parameters: " RET=HDRS ENVID=abc BODY=8BITMIME",
    to: ["carol@club.example"],
    client: "127.0.0.1",
  });
  const mail = await waitFor(() => hop.commands.find((command) => command.startsWith("MAIL")), {
    seconds: 15,
    otherwise: () => site.postfix.tail(),
  });
  assert.match(mail, /^MAIL FROM:<SRS0=[^>]*> .*RET=HDRS/);
  assert.match(mail, /ENVID=abc/);
});
