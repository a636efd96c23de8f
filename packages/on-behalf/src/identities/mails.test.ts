import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { identityScene } from "../testing/identity-scene.ts";
import { MAX_TOKEN } from "../tokens/create-tokens.ts";

const TOKEN = "[A-Za-z0-9_-]{150,}";

test("the whole mail that asks for a confirmation", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, { address: "alice@example.org", scope: "user" });
  const text = scene.store.mails[0]?.message.toString() ?? "";
  assert.equal(
    text.replaceAll(new RegExp(`t=${TOKEN}`, "g"), "t=TOKEN"),
    [
      'From: "mail.site.example" <no-reply@mail.site.example>',
      "To: <alice@example.org>",
      "Subject: Confirm your address for Example Cards",
      "Date: Fri, 15 Jan 2027 08:00:00 +0000",
      "Message-ID: <secret-00000000000000000003@mail.site.example>",
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=us-ascii",
      "Content-Transfer-Encoding: 7bit",
      "",
      "Somebody gave this address to Example Cards (site.example), and said",
      "that it is theirs:",
      "",
      "    alice@example.org",
      "",
      "If that was you, open this page and press the button there:",
      "",
      "https://mail.site.example/confirm?t=TOKEN",
      "",
      "What it means: when you are logged in and ask it to, Example Cards sends",
      "mail on your behalf, which names you as its author. Where it cannot be",
      "delivered, you are told. It ends when you say so, or when nothing was",
      "sent for 180 days.",
      "",
      "If it was not you, do nothing. Opening the link changes nothing; without",
      "the button no mail is sent in your name, and the link is dead after 24",
      "hours. Such a mail comes once a day at most.",
      "",
      "See and stop what is sent in your name or to you, without an account:",
      "",
      "https://mail.site.example/mine?t=TOKEN",
      "",
      "-- ",
      "mail.site.example wrote this by itself. Answers are not read.",
      "",
    ].join("\r\n"),
  );
});

test("a visitor is told that it is about short notes", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, { address: "alice@example.org", scope: "visitor" });
  assert.match(
    scene.lastMail(),
    /\r\nWhat it means: when you ask it to, Example Cards sends short notes on\r\nyour behalf, /,
  );
});

test("the whole mail with the link that somebody asked for", async () => {
  const scene = identityScene();
  await scene.people.mailLink("alice@example.org");
  const text = scene.store.mails[0]?.message.toString() ?? "";
  assert.equal(
    text.slice(text.indexOf("Subject:")).replace(new RegExp(`t=${TOKEN}`), "t=TOKEN"),
    [
      "Subject: Your mail at mail.site.example",
      "Date: Fri, 15 Jan 2027 08:00:00 +0000",
      "Message-ID: <secret-00000000000000000002@mail.site.example>",
      "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=us-ascii",
      "Content-Transfer-Encoding: 7bit",
      "",
      "Somebody asked mail.site.example for a link to what is sent in the name",
      "of this address, and to it:",
      "",
      "    alice@example.org",
      "",
      "If it was not you, do nothing: nobody but you has the link. Such a mail",
      "comes once a day at most. Whoever has the link can do what you can do",
      "with it, so do not pass it on.",
      "",
      "See and stop what is sent in your name or to you, without an account:",
      "",
      "https://mail.site.example/mine?t=TOKEN",
      "",
      "-- ",
      "mail.site.example wrote this by itself. Answers are not read.",
      "",
    ].join("\r\n"),
  );
});

test("the page to return to is not in the mail: a site can write nothing into it", async () => {
  const scene = identityScene();
  const returnUrl = "https://site.example/buy-now";
  await scene.identities.request(scene.cards, { address: "alice@example.org", scope: "user", returnUrl });
  assert.doesNotMatch(scene.lastMail(), /buy-now/);
  assert.doesNotMatch(Buffer.from(scene.confirmToken(), "base64url").toString("latin1"), /buy-now/);
});

test("an address of UTF-8 goes over SMTPUTF8, and stands in the To field alone as it is", async () => {
  const scene = identityScene();
  await scene.identities.request(scene.cards, { address: "jörg@bücher.example", scope: "user" });
  const [mail] = scene.store.mails;
  assert.deepEqual([mail?.eightBit, mail?.smtpUtf8], [true, true]);
  const lines = mail?.message.toString("utf8").split("\r\n") ?? [];
  assert.deepEqual(
    lines.filter((line) => /[^ -~]/.test(line)),
    ["To: <jörg@xn--bcher-kva.example>"],
  );
  assert.match(scene.lastMail(), /\r\n\r\n {4}jörg@xn--bcher-kva\.example\r\n\r\n/);
  assert.ok((await scene.people.confirm(scene.confirmToken())).ok);
});

test("a title of UTF-8 is encoded, so that the mail needs no 8BITMIME", async () => {
  const scene = identityScene({ cards: { title: "Grüße & Karten" } });
  await scene.identities.request(scene.cards, { address: "alice@example.org", scope: "user" });
  const [mail] = scene.store.mails;
  assert.deepEqual([mail?.eightBit, mail?.smtpUtf8], [false, false]);
  const text = mail?.message.toString("latin1") ?? "";
  assert.match(text, /^[\r\n -~]*$/);
  const encoded = Buffer.from("Confirm your address for Grüße & Karten").toString("base64");
  assert.ok(text.includes(`\r\nSubject: =?utf-8?B?${encoded}?=\r\n`));
  assert.match(scene.lastMail(), /Somebody gave this address to Grüße & Karten \(site\.example\)/);
});

test("whatever the title, it ends no line: the header has the same fields, each once", async () => {
  const FIELDS = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
  ];
  const hostile = fc.array(
    fc.constantFrom(
      "\r\n",
      "\n",
      "\r",
      "Bcc: x",
      "\0",
      "\u0085",
      "\u2028",
      "ü",
      "\u202e",
      "=?",
      "\ud800",
      " ",
      ":",
    ),
  );
  const title = fc.oneof(
    fc.string({ unit: "binary", maxLength: 200 }),
    hostile.map((pieces) => pieces.join("")),
  );
  await fc.assert(
    fc.asyncProperty(title, async (one) => {
      const scene = identityScene({ cards: { title: one } });
      assert.ok(
        (await scene.identities.request(scene.cards, { address: "alice@example.org", scope: "user" })).ok,
      );
      const text = scene.store.mails[0]?.message.toString("latin1") ?? "";
      const [header = "", ...body] = text.split("\r\n\r\n");
      assert.deepEqual(
        header
          .split("\r\n")
          .filter((line) => !line.startsWith(" "))
          .map((line) => line.split(":", 1)[0]),
        FIELDS,
      );
      assert.match(text, /^[\r\n -~]*$/);
      assert.doesNotMatch(text, /\r(?!\n)|(?<!\r)\n/);
      assert.doesNotMatch(scene.lastMail(), /[\u202e\u0085\u2028]/);
      assert.ok(body.length > 1);
    }),
    { numRuns: 150 },
  );
});

test("whatever the address: it is refused, or its mail has the same fields and that one recipient", async () => {
  const piece = fc.constantFrom(
    "a",
    '"',
    "\\",
    "\r\n",
    "\n",
    " ",
    "@",
    "example.org",
    ".",
    "<",
    ">",
    ",",
    ";",
    ":",
    "ü",
    "\0",
    "\t",
    "Bcc: b@c",
    "(",
    ")",
  );
  const address = fc.oneof(
    fc.array(piece, { maxLength: 10 }).map((pieces) => `${pieces.join("")}@example.org`),
    fc.array(piece, { maxLength: 10 }).map((pieces) => `"${pieces.join("")}"@example.org`),
    fc.string({ unit: "binary", maxLength: 300 }),
  );
  await fc.assert(
    fc.asyncProperty(address, async (one) => {
      const scene = identityScene();
      const asked = await scene.identities.request(scene.cards, { address: one, scope: "user" });
      if (!asked.ok) return assert.equal(scene.store.mails.length, 0);
      const [mail] = scene.store.mails;
      const [header = ""] = mail?.message.toString("utf8").split("\r\n\r\n") ?? [];
      const [from, to = "", subject, ...rest] = header.split("\r\n");
      assert.match(from ?? "", /^From: /);
      assert.deepEqual(parseMailbox(/^To: <(.*)>$/.exec(to)?.[1] ?? ""), {
        ok: true,
        mailbox: mail?.recipient,
      });
      assert.match(subject ?? "", /^Subject: /);
      assert.equal(rest.length, 6);
    }),
    { numRuns: 400 },
  );
});

test("the longest address: the link to its page stays whole", async () => {
  const scene = identityScene();
  const address = `"${'\\"'.repeat(124)}"@x.y`;
  assert.ok((await scene.people.mailLink(address)).ok);
  const raw = scene.store.mails[0]?.message.toString("latin1") ?? "";
  for (const line of raw.split("\r\n")) assert.ok(line.length <= 998);
  const token = scene.manageToken();
  assert.ok(token.length > 850 && token.length <= MAX_TOKEN, `${token.length}`);
  assert.ok((await scene.people.mine(token)).ok);
});
