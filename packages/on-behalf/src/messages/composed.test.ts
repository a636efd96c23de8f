// Composed mail of each profile, whole.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NULL_PATH, renderMailbox, renderReversePath } from "@homing/srs-core";
import { type MessageScene, messageScene } from "../testing/message-scene.ts";
import { readMail } from "../testing/read-mail.ts";

/** DMARC of the user's domain forbids others to write it into From. */
const REJECT = { "_dmarc.example.org": ["v=DMARC1; p=reject"] };

/** With the token as `TOKEN`, which differs by recipient. Soft line ends of quoted-printable are taken out. */
function lines(scene: MessageScene): readonly string[] {
  const { message } = scene.store.mails.at(-1) ?? assert.fail();
  const text = message.toString("latin1");
  readMail(message);
  return text
    .replace(/(?<!\?)=\r\n/g, "")
    .replace(/\?t=(3D)?[A-Za-z0-9_-]+/g, "?t=TOKEN")
    .split("\r\n");
}

const MANAGE = "https://mail.site.example/mine?t=TOKEN";
const LIST = [`List-Unsubscribe: <${MANAGE}>`, "List-Unsubscribe-Post: List-Unsubscribe=One-Click"];

test("on behalf of a user whose domain forbids it: the site's address, and Reply-To the user", async () => {
  const scene = messageScene({ zone: REJECT });
  await scene.confirm("alice@example.org");
  const message = await scene.sent({ name: "Alïce", text: "Happy birthday!\nYours" });
  assert.deepEqual(lines(scene), [
    "DKIM-Signature: d=site.example",
    "From: =?utf-8?B?QWzDr2NlIHZpYSBFeGFtcGxlIENhcmRz?= <cards@site.example>",
    "Reply-To: =?utf-8?B?QWzDr2Nl?= <alice@example.org>",
    "To: <bob@example.net>",
    ...LIST,
    "Feedback-ID: on-behalf:cards",
    "Subject: A card for you",
    `Message-ID: <${message.id.slice(4)}-0@site.example>`,
    "Date: Fri, 15 Jan 2027 08:00:00 +0000",
    "Content-Transfer-Encoding: quoted-printable",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "Happy birthday!",
    "Yours",
    "",
    "--=20",
    "alice@example.org asked Example Cards to send you this message.",
    "Who sends you mail in this way, and how to stop it:",
    MANAGE,
    "",
  ]);
  assert.deepEqual([message.from.address, message.from.mode], ["cards@site.example", "site"]);
  const mail = scene.store.mails.at(-1) ?? assert.fail();
  assert.equal(renderReversePath(mail.sender), "alice@example.org");
  assert.match(
    renderReversePath(mail.reversePath),
    /^SRS0=[a-z2-7]{14}=..=example\.org=alice@cards\.bounce\.example$/,
  );
  assert.equal(renderMailbox(mail.recipient), "bob@example.net");
  assert.deepEqual([mail.eightBit, mail.smtpUtf8], [false, false]);
});

test("on behalf of a user whose domain permits it, with HTML: his own address, and Sender the site", async () => {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  const message = await scene.sent({
    name: "Alice",
    html: "<p>Happy <b>birthday</b>!</p>",
    subject: "Für Dich",
  });
  const [boundary = ""] = lines(scene)
    .filter((line) => line.startsWith("--"))
    .slice(0, 1);
  assert.deepEqual(lines(scene), [
    "DKIM-Signature: d=site.example",
    'From: "Alice" <alice@example.org>',
    'Sender: "Example Cards" <cards@site.example>',
    "To: <bob@example.net>",
    ...LIST,
    "Feedback-ID: on-behalf:cards",
    "Subject: =?UTF-8?Q?F=C3=BCr_Dich?=",
    `Message-ID: <${message.id.slice(4)}-0@site.example>`,
    "Date: Fri, 15 Jan 2027 08:00:00 +0000",
    "MIME-Version: 1.0",
    "Content-Type: multipart/alternative;",
    ` boundary="${boundary.slice(2)}"`,
    "",
    boundary,
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "Happy birthday!",
    "",
    "--=20",
    "alice@example.org asked Example Cards to send you this message.",
    "Who sends you mail in this way, and how to stop it:",
    MANAGE,
    "",
    boundary,
    "Content-Type: text/html; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "",
    "<p>Happy <b>birthday</b>!</p>",
    "<hr>",
    "<p><small>alice@example.org asked Example Cards to send you this message. Who sends you mail in this way, and how to " +
      `stop it: <a href=3D"${MANAGE}">this page</a></small></p>`,
    "",
    `${boundary}--`,
    "",
  ]);
  assert.deepEqual([message.from.address, message.from.mode], ["alice@example.org", "user"]);
});

test("transactional: the site itself, bounces to its own address, by an SRS address that says to whom it went", async () => {
  const scene = messageScene();
  const message = await scene.sent({
    profile: "transactional",
    replyTo: "help@site.example",
    subject: "Your ticket",
  });
  assert.deepEqual(lines(scene), [
    "DKIM-Signature: d=site.example",
    'From: "Example Cards" <cards@site.example>',
    "Reply-To: <help@site.example>",
    "To: <bob@example.net>",
    ...LIST,
    "Feedback-ID: transactional:cards",
    "Subject: Your ticket",
    `Message-ID: <${message.id.slice(4)}-0@site.example>`,
    "Date: Fri, 15 Jan 2027 08:00:00 +0000",
    "Content-Transfer-Encoding: quoted-printable",
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "",
    "Happy birthday!",
    "",
    "--=20",
    "Example Cards sent you this message.",
    "Who sends you mail in this way, and how to stop it:",
    MANAGE,
    "",
  ]);
  const mail = scene.store.mails.at(-1) ?? assert.fail();
  assert.equal(renderReversePath(mail.sender), "bounces@site.example");
  assert.match(renderReversePath(mail.reversePath), /^SRS0=.*=site\.example=bounces@cards\.bounce\.example$/);
});

test("unimportant: the same, and nobody hears of bounces", async () => {
  const scene = messageScene();
  await scene.sent({ profile: "unimportant" });
  assert.ok(lines(scene).includes("Feedback-ID: unimportant:cards"));
  const mail = scene.store.mails.at(-1) ?? assert.fail();
  assert.equal(mail.sender, NULL_PATH);
  assert.equal(renderReversePath(mail.reversePath), "nobody@cards.bounce.example");
  assert.deepEqual(scene.store.facts("ob-sent"), []);
});

test("each recipient has a message of his own: return path, link, Message-ID; none sees the others", async () => {
  const scene = messageScene();
  await scene.confirm("alice@example.org");
  const message = await scene.sent({ to: ["bob@example.net", "carol@example.net", "dora@example.com"] });
  const mails = scene.store.mails.slice(-3);
  const texts = mails.map((mail) => mail.message.toString("latin1"));
  for (const [place, { address }] of message.recipients.entries()) {
    for (const [index, text] of texts.entries()) assert.equal(text.includes(address), index === place);
  }
  assert.equal(new Set(mails.map(({ reversePath }) => renderReversePath(reversePath))).size, 3);
  assert.equal(new Set(texts.map((text) => /t=3D([^\r]+)/.exec(text)?.[1])).size, 3);
  assert.equal(new Set(texts.map((text) => /Message-ID: .*/.exec(text)?.[0])).size, 3);
});

test("the link at the foot shows the recipient his own page, and its button keeps the site away", async () => {
  const scene = messageScene();
  await scene.sent({ profile: "transactional" });
  const header = scene.store.mails.at(-1)?.message.toString("latin1") ?? "";
  const token =
    /List-Unsubscribe: <https:\/\/mail\.site\.example\/mine\?t=([A-Za-z0-9_-]+)>/.exec(header)?.[1] ?? "";
  const mine = await scene.service.people.mine(token);
  assert.ok(mine.ok);
  assert.deepEqual([mine.mine.address, mine.mine.from?.name], ["bob@example.net", "cards"]);
  assert.ok((await scene.service.people.never(token, "cards")).ok);
  assert.equal((await scene.refused({ profile: "transactional" })).type, "recipient-suppressed");
});

test("a user with UTF-8 in his local part needs SMTPUTF8, one without does not", async () => {
  const scene = messageScene();
  await scene.confirm("zoë@example.org");
  await scene.sent({ onBehalfOf: "zoë@example.org" });
  const mail = scene.store.mails.at(-1) ?? assert.fail();
  assert.deepEqual([mail.eightBit, mail.smtpUtf8], [true, true]);
  await scene.sent({ profile: "transactional", to: ["zoë@example.net"] });
  assert.equal(scene.store.mails.at(-1)?.smtpUtf8, true);
  await scene.sent({ profile: "transactional", to: ["bob@bücher.example"], text: "Grüße" });
  assert.equal(scene.store.mails.at(-1)?.smtpUtf8, false);
});

test("where the key cannot be used, nothing is sent unsigned: try again", async () => {
  const scene = messageScene();
  scene.canSign = false;
  const problem = await scene.refused({ profile: "transactional" });
  assert.equal(problem.type, "unavailable");
  assert.ok((problem.retryAfter ?? 0) >= 1);
  assert.equal(scene.store.mails.length, 0);
});
