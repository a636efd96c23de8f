// The whole way of mail that a site sends for its users, against the service as it runs: the user is asked and confirms, mail
// goes out with him behind it, and whatever comes back comes to him.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { onBehalf } from "@homing/on-behalf";
import { createRewriter, parseMailbox, renderReversePath } from "@homing/srs-core";
import { createTransport } from "nodemailer";
import nacl from "tweetnacl";
import { fieldOf, rawFieldOf } from "../packages/on-behalf/src/testing/read-mail.ts";
import { linkIn, problemOf, read } from "./harness/on-behalf-calls.ts";
import {
  type Answer,
  BOUNCES,
  type OnBehalfSite,
  PUBLIC_URL,
  startOnBehalfSite,
} from "./harness/on-behalf-site.ts";
import type { Taken } from "./harness/scripted-hop.ts";

/** His domain lets nobody else write it into From. */
const ALICE = "alice@strict.example";
const FRED = "fred@strict.example";
const ZONE = { "_dmarc.strict.example": [{ type: "TXT", strings: ["v=DMARC1; p=reject"] }] } as const;

let site: OnBehalfSite;
before(async () => {
  site = await startOnBehalfSite({
    zone: ZONE,
    refusal: (recipient) => (recipient.startsWith("unknown") ? "550 5.1.1 there is no such user" : undefined),
  });
});
after(() => site[Symbol.asyncDispose]());

const message = (more: object) => ({
  profile: "on-behalf",
  subject: "Look at this",
  text: "An article.",
  ...more,
});

const send = (more: object, at = "cards", headers = {}): Promise<Answer> =>
  site.api("POST", "/v1/messages", { site: at, headers, body: message(more) });

async function sent(more: object, at = "cards"): Promise<string> {
  const answer = await send(more, at);
  assert.equal(answer.status, 202, answer.text);
  return answer.body.id ?? assert.fail(answer.text);
}

async function onlyMailTo(address: string): Promise<Taken> {
  const mails = await site.mailTo(address);
  assert.equal(mails.length, 1);
  return mails[0] ?? assert.fail();
}

/** Whom bounces to it find, by the site's own secrets. */
function behind(reversePath: string): string {
  const secrets = readFileSync(join(site.folder, "cards.secrets"), "utf8").trim().split("\n");
  const parsed = parseMailbox(reversePath);
  assert.ok(parsed.ok, reversePath);
  const now = Math.floor(Date.now() / 1000);
  const out = createRewriter({ secrets, domain: BOUNCES }).reverse(parsed.mailbox, now);
  assert.ok(out.ok, reversePath);
  return renderReversePath(out.address);
}

function assertProblem(answer: Answer, status: number, type: string): void {
  assert.deepEqual([answer.status, problemOf(answer)], [status, type], answer.text);
}

test("a user is asked, presses the button, and the site is told", async () => {
  const returnUrl = "https://site.example/cards/42";
  const token = await site.asked(ALICE, "cards", { returnUrl });
  const identity = (): Promise<Answer> => site.api("GET", `/v1/identities/${ALICE}`);

  // Programs that look for malware open every link, and mail programs show previews.
  for (const method of ["GET", "HEAD", "GET"]) {
    const shown = await site.page(method, `/confirm?t=${token}`);
    assert.equal(shown.status, 200);
    if (method === "GET") assert.match(shown.text, /<form method="post"/);
    assert.equal((await identity()).body.status, "pending");
  }
  assertProblem(await send({ onBehalfOf: ALICE, to: "bob@friends.example" }), 403, "identity-not-confirmed");
  assert.deepEqual(await site.eventsOf("cards", "identity.confirmed"), []);

  const pressed = await site.page("POST", "/confirm", { t: token });
  assert.equal(pressed.status, 200, pressed.text);
  assert.ok(pressed.text.includes(`<a href="${returnUrl}">`), pressed.text);
  const { id, status } = (await identity()).body;
  assert.equal(status, "confirmed");
  const [event, ...more] = await site.eventsOf("cards", "identity.confirmed");
  assert.deepEqual(event?.data, { identity: id, address: ALICE, scope: "user" });
  assert.deepEqual(more, []);
});

test("a message to two recipients: each has a copy of his own, the user behind it, and his own link at its foot", async () => {
  const to = ["bob@friends.example", "eve@friends.example"];
  const id = await sent({ onBehalfOf: ALICE, name: "Alice", to, reference: "article 42" });
  const paths = new Set<string>();
  for (const recipient of to) {
    const mail = await onlyMailTo(recipient);
    assert.match(
      mail.reversePath,
      /^SRS0=[a-z2-7]+=[A-Z2-7]{2}=strict\.example=alice@bounce\.site\.example$/i,
    );
    assert.equal(behind(mail.reversePath), ALICE);
    paths.add(mail.reversePath);
    const header = read(mail);
    assert.equal(rawFieldOf(header, "From"), '"Alice via Example Cards" <cards@site.example>');
    assert.equal(rawFieldOf(header, "Reply-To"), `"Alice" <${ALICE}>`);
    assert.equal(rawFieldOf(header, "Sender"), undefined);
    assert.equal(rawFieldOf(header, "To"), `<${recipient}>`);
    assert.match(rawFieldOf(header, "Message-ID") ?? "", /^<[^<>@]+@site\.example>$/);
    assert.equal(fieldOf(header, "Subject"), "Look at this");
    const text = header.parts.get("text/plain") ?? "";
    assert.ok(text.includes(`${ALICE} asked Example Cards to send you this message.`), text);
    // The others are not his matter.
    for (const other of to) assert.equal(mail.message.includes(other), other === recipient);
    const mine = await site.page("GET", `/mine?t=${linkIn(mail, "mine")}`);
    assert.ok(mine.text.includes(recipient), mine.text);
  }
  assert.equal(paths.size, 2);
  await site.waitForEvents("message.delivered", 2);
  const known = await site.api("GET", `/v1/messages/${id}`);
  assert.deepEqual(
    known.body.recipients?.map(({ address, status }) => [address, status]),
    to.map((address) => [address, "delivered"]),
  );
});

test("where DMARC of the user's domain permits it, From is his own, and Sender the site", async () => {
  await site.confirmed("amy@open.example");
  const { body } = await send({ onBehalfOf: "amy@open.example", name: "Amy", to: "bill@friends.example" });
  assert.equal(body.from?.mode, "user");
  const header = read(await onlyMailTo("bill@friends.example"));
  assert.equal(rawFieldOf(header, "From"), '"Amy" <amy@open.example>');
  assert.equal(rawFieldOf(header, "Sender"), '"Example Cards" <cards@site.example>');
});

test("a server that refuses one recipient: the user hears from us, the site has an event, the other has the mail", async () => {
  const to = ["unknown@friends.example", "ann@friends.example"];
  const id = await sent({ onBehalfOf: ALICE, to });
  // Behind the one that asked for the address.
  const dsn = (await site.mailTo(ALICE, 2)).at(-1) ?? assert.fail();
  assert.equal(dsn.reversePath, "");
  assert.match(dsn.message, /^From: .*mailer-daemon@mx\.club\.example/m);
  assert.match(dsn.message, /^Final-Recipient: rfc822; ?unknown@friends\.example\r$/m);
  assert.match(dsn.message, /^Status: 5\.1\.1\r$/m);
  assert.ok(!dsn.message.includes("ann@friends.example"));
  const [failed] = await site.waitForEvents("message.failed", 1);
  assert.deepEqual(failed?.data, {
    message: id,
    recipient: "unknown@friends.example",
    enhanced: "5.1.1",
    class: "hard",
  });
  await onlyMailTo("ann@friends.example");
  const { body } = await site.api("GET", `/v1/messages/${id}`);
  assert.deepEqual(
    body.recipients?.map(({ status, enhanced }) => [status, enhanced]),
    [
      ["failed", "5.1.1"],
      ["delivered", undefined],
    ],
  );
  assertProblem(
    await send({ onBehalfOf: ALICE, to: "unknown@friends.example" }),
    422,
    "recipient-suppressed",
  );
});

test("a bounce from outside comes home: the user hears about whom, the site has an event, and the recipient is suppressed for it alone", async () => {
  const to = "gone@friends.example";
  const id = await sent({ onBehalfOf: ALICE, to, reference: "article 43" });
  const { reversePath, message: returned } = await onlyMailTo(to);
  const before = site.hop.taken.filter(({ recipient }) => recipient === ALICE).length;
  const header = returned.slice(0, returned.indexOf("\r\n\r\n"));
  assert.match(await site.bounce(reversePath, { target: to, returned: header }), /^250 /);

  const dsn = (await site.mailTo(ALICE, before + 1)).at(-1) ?? assert.fail();
  assert.equal(dsn.reversePath, "");
  assert.match(dsn.message, /^Content-Type: multipart\/report; report-type=delivery-status/m);
  assert.match(dsn.message, /^Final-Recipient: rfc822; ?gone@friends\.example\r$/m);
  assert.match(dsn.message, /^Action: failed\r$/m);
  const [event] = await site.waitForEvents("bounce.returned", 1);
  const about = { message: id, recipient: to, reference: "article 43" };
  assert.deepEqual(event?.data, { ...about, user: ALICE, enhanced: "5.1.1", class: "hard" });
  const { body } = await site.api("GET", `/v1/messages/${id}`);
  assert.deepEqual(body.recipients, [
    { ...body.recipients?.[0], address: to, status: "bounced", enhanced: "5.1.1" },
  ]);

  assertProblem(await send({ onBehalfOf: ALICE, to }), 422, "recipient-suppressed");
  const { suppressions } = (await site.api("GET", "/v1/suppressions")).body;
  assert.ok(suppressions?.some(({ address, reason }) => address === to && reason === "bounce"));
  // What the other site knows of the recipient is its own matter.
  await site.confirmed(FRED, "forum");
  await sent({ onBehalfOf: FRED, to }, "forum");
  await site.mailTo(to, 2);
  // And the site may try again where it knows better.
  assert.equal((await site.api("DELETE", `/v1/suppressions/${to}`)).status, 204);
  await sent({ onBehalfOf: ALICE, to });
  await site.mailTo(to, 3);
});

test("unimportant mail: its bounces are thrown away, and counted", async () => {
  const to = "uma@friends.example";
  await sent({ profile: "unimportant", to });
  const { reversePath, message: returned } = await onlyMailTo(to);
  assert.equal(reversePath, `nobody@${BOUNCES}`);
  assert.equal(rawFieldOf(read({ message: returned }), "From"), '"Example Cards" <cards@site.example>');
  const before = site.hop.taken.length;
  assert.match(await site.bounce(reversePath, { target: to }), /^250 /);
  const [event] = await site.waitForEvents("bounce.eaten", 1);
  assert.equal(event?.data.count, 1);
  await site.settled();
  assert.equal(site.hop.taken.length, before, "nobody hears of it");
  await sent({ profile: "unimportant", to });
  await site.mailTo(to, 2);
});

test("the site's own mail: its bounces come to returnTo", async () => {
  const to = "tom@friends.example";
  await sent({ profile: "transactional", to, replyTo: "help@site.example" });
  const { reversePath, message: returned } = await onlyMailTo(to);
  assert.equal(behind(reversePath), "bounces@site.example");
  assert.equal(rawFieldOf(read({ message: returned }), "Reply-To"), "<help@site.example>");
  assert.match(await site.bounce(reversePath, { target: to }), /^250 /);
  const dsn = await onlyMailTo("bounces@site.example");
  assert.match(dsn.message, /^Final-Recipient: rfc822; ?tom@friends\.example\r$/m);
  assertProblem(await send({ profile: "transactional", to }), 422, "recipient-suppressed");
});

test("who says never again at the foot of a message has no more mail of any site, until he allows it", async () => {
  const to = "nick@friends.example";
  await sent({ onBehalfOf: ALICE, to });
  const t = linkIn(await onlyMailTo(to), "mine");
  await site.page("GET", `/mine?t=${t}`);
  await sent({ onBehalfOf: FRED, to }, "forum");

  const said = await site.page("POST", "/mine", { t, action: "never", site: "all" });
  assert.equal(said.status, 200, said.text);
  assertProblem(await send({ onBehalfOf: ALICE, to }), 422, "recipient-suppressed");
  assertProblem(await send({ onBehalfOf: FRED, to }, "forum"), 422, "recipient-suppressed");
  assertProblem(await send({ profile: "unimportant", to }), 422, "recipient-suppressed");
  // Nor is he asked to confirm.
  const asked = await site.api("POST", "/v1/identities", { body: { address: to } });
  assertProblem(asked, 422, "recipient-suppressed");
  // And no site can take his wish away.
  assertProblem(await site.api("DELETE", `/v1/suppressions/${to}`), 422, "recipient-suppressed");
  const [event] = await site.waitForEvents("recipient.never", 1);
  assert.deepEqual(event?.data, { address: to, all: true });

  assert.equal((await site.page("POST", "/mine", { t, action: "again", site: "all" })).status, 200);
  await sent({ onBehalfOf: ALICE, to });
  await site.mailTo(to, 3);
});

test("one click in the recipient's mail program (RFC 8058): no more mail from this site, and still from others", async () => {
  const to = "olga@friends.example";
  await sent({ onBehalfOf: ALICE, to });
  const header = read(await onlyMailTo(to));
  assert.equal(rawFieldOf(header, "List-Unsubscribe-Post"), "List-Unsubscribe=One-Click");
  const url = /^<(.+)>$/.exec(rawFieldOf(header, "List-Unsubscribe") ?? "")?.[1] ?? assert.fail();
  assert.ok(url.startsWith(`${PUBLIC_URL}/mine?t=`), url);
  const clicked = await site.page("POST", url.slice(PUBLIC_URL.length), { "List-Unsubscribe": "One-Click" });
  assert.equal(clicked.status, 200, clicked.text);
  assertProblem(await send({ onBehalfOf: ALICE, to }), 422, "recipient-suppressed");
  await sent({ onBehalfOf: FRED, to }, "forum");
  await site.mailTo(to, 2);
});

test("the user ends it with the link at the foot of our mail, and the site is told", async () => {
  const user = "rita@strict.example";
  const id = await site.confirmed(user);
  const t = linkIn(await onlyMailTo(user), "mine");
  const shown = await site.page("GET", `/mine?t=${t}`);
  assert.ok(shown.text.includes("Example Cards") && shown.text.includes("confirmed on"), shown.text);
  await sent({ onBehalfOf: user, to: "paul@friends.example" });
  assert.equal((await site.page("POST", "/mine", { t, action: "revoke", id })).status, 200);
  assertProblem(await send({ onBehalfOf: user, to: "paul@friends.example" }), 403, "identity-not-confirmed");
  assertProblem(await send({ onBehalfOf: id, to: "paul@friends.example" }), 403, "identity-not-confirmed");
  assert.equal((await site.api("GET", `/v1/identities/${id}`)).body.status, "revoked");
  const events = await site.eventsOf("cards", "identity.revoked");
  assert.equal(events.at(-1)?.data.identity, id);
});

test("the proof of an identity verifies with tweetnacl and the keys that are served, and with no bit of it turned", async () => {
  const { proof = "" } = (await site.api("GET", `/v1/identities/${ALICE}`)).body;
  const served = await site.api("GET", "/v1/keys", { site: undefined });
  const key = Buffer.from(served.body.keys?.[0]?.x ?? assert.fail(served.text), "base64url");
  const octets = Buffer.from(proof, "base64url");
  const opened = nacl.sign.open(octets, key) ?? assert.fail("not signed with the key");
  const [label, facts = ""] = Buffer.from(opened).toString("utf8").split("\0");
  assert.equal(label, "homing-on-behalf-v1");
  const { p, a, s, x } = JSON.parse(facts) as Record<string, unknown>;
  assert.deepEqual([p, a, s], ["identity", ALICE, "cards"]);
  assert.ok(Number(x) > Date.now() / 1000);
  for (let bit = 0; bit < octets.length * 8; bit += 61) {
    const turned = Buffer.from(octets);
    turned[bit >> 3] = (turned[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.equal(nacl.sign.open(turned, key), null, `bit ${bit}`);
  }
});

test("nodemailer with the plug-in, over the submission port: the site's own return path is taken, and the bounce comes home", async () => {
  const user = "piet@strict.example";
  const to = "quin@friends.example";
  await site.confirmed(user);
  const transport = createTransport({
    host: "127.0.0.1",
    port: site.ports.submission,
    requireTLS: true,
    tls: { rejectUnauthorized: false },
    auth: { user: "cards", pass: site.keyOf("cards") },
  });
  transport.use(
    "compile",
    onBehalf({
      secretsFile: join(site.folder, "cards.secrets"),
      bounceDomain: BOUNCES,
      from: { name: "Example Cards", address: "cards@site.example" },
      fromMode: "site",
      homing: {
        url: `http://127.0.0.1:${site.ports.http}`,
        siteKeyFile: join(site.folder, "cards.keys"),
      },
    }),
  );
  const mail = (onBehalfOf: string) => ({ onBehalfOf, to, subject: "From the site itself", text: "Hello." });
  await transport.sendMail(mail(user));
  await assert.rejects(transport.sendMail(mail("stranger@strict.example")), {
    code: "identity-not-confirmed",
  });
  transport.close();

  const came = await onlyMailTo(to);
  assert.equal(behind(came.reversePath), user);
  const header = read(came);
  assert.equal(rawFieldOf(header, "From"), "piet via Example Cards <cards@site.example>");
  assert.equal(rawFieldOf(header, "Reply-To"), user);
  assert.match(rawFieldOf(header, "Received") ?? "", /with ESMTPSA/);
  assert.match(rawFieldOf(header, "List-Unsubscribe") ?? "", /^<https:\/\/mail\.site\.example\/mine\?t=/);

  assert.match(await site.bounce(came.reversePath, { target: to }), /^250 /);
  const dsns = (await site.mailTo(user, 2)).at(-1) ?? assert.fail();
  assert.match(dsns.message, /^Final-Recipient: rfc822; ?quin@friends\.example\r$/m);
  const returned = await site.eventsOf("cards", "bounce.returned");
  assert.deepEqual(returned.at(-1)?.data.recipient, to);
  assert.deepEqual(returned.at(-1)?.data.user, user);
});

test("to the end nothing waits, and no bug was logged", async () => {
  await site.settled();
  assert.doesNotMatch(site.log(), /"event":"error"/);
});
