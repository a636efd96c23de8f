// What a site or a user may try to put into a header, a foot or an envelope. What comes out is read by a reader of its own.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import fc from "fast-check";
import type { MessageRequest } from "../on-behalf.ts";
import { type MessageScene, messageScene } from "../testing/message-scene.ts";
import { addressIn, fieldNames, fieldOf, rawFieldOf, readMail } from "../testing/read-mail.ts";

const UNLIMITED = {
  userPerDay: 1e6,
  recipientPerDay: 1e6,
  sitePerDay: 1e6,
  visitorPerDay: 1e6,
  recipients: 5,
};
const RUNS = 300;
/** All that a message may have, in lower case. */
const DECLARED = new Set(
  [
    "DKIM-Signature From Sender Reply-To To Subject Message-ID Date MIME-Version Content-Type",
    "Content-Transfer-Encoding List-Unsubscribe List-Unsubscribe-Post Feedback-ID",
  ].flatMap((names) => names.toLowerCase().split(" ")),
);

let scene: MessageScene;
before(async () => {
  scene = messageScene({ limits: UNLIMITED });
  await scene.confirm("alice@example.org");
});

const TRICKS: readonly string[] = [
  "x\r\nBcc: victim@example.com",
  "x\nBcc: victim@example.com",
  "x\rBcc: victim@example.com",
  "x\r\n\r\nbody",
  "x\r\n Bcc: folded@example.com",
  "x\u0000y",
  "x\u0085Bcc: victim@example.com",
  "x\u2028Bcc: victim@example.com",
  "x\u2029y",
  "x\u001by",
  "x\u007fy",
  "\ud800",
];
/** Control characters that are only seen once it is decoded. */
const ENCODED = "=?utf-8?q?=0D=0ABcc:_x?=";
const FIELDS: readonly [field: string, request: (text: string) => Partial<MessageRequest>][] = [
  ["subject", (subject) => ({ subject })],
  ["name", (name) => ({ name })],
  ["reference", (reference) => ({ reference })],
  ["to[0]", (text) => ({ to: [`${text}@example.net`] })],
  ["to[0]", (text) => ({ to: [`"${text}"@example.net`] })],
  ["to[0]", (text) => ({ to: [`bob@example.net${text}`] })],
  ["to[0]", (text) => ({ to: [`bob@example.net>${text}`] })],
  ["replyTo", (text) => ({ profile: "transactional", replyTo: `"${text}"@example.net` })],
];
for (const [index, [field, request]] of FIELDS.entries()) {
  test(`${field} (form ${index}) with a control character is refused by name, and nothing is sent`, async () => {
    const queued = scene.store.mails.length;
    for (const text of TRICKS) {
      const problem = await scene.refused(request(text));
      assert.deepEqual([problem.type, problem.field], ["invalid-field", field], JSON.stringify(text));
    }
    assert.equal(scene.store.mails.length, queued);
  });
}

test("an encoded word is no subject and no name: a reader would decode what is hidden in it", async () => {
  for (const field of ["subject", "name"] as const) {
    const problem = await scene.refused({ [field]: ENCODED });
    assert.deepEqual([problem.type, problem.field], ["invalid-field", field]);
  }
});

test("the answer to such an attempt holds no control character itself", async () => {
  for (const [, request] of FIELDS) {
    for (const text of TRICKS)
      assert.doesNotMatch(JSON.stringify(await scene.refused(request(text))), /\\u00|\\r|\\n/);
  }
});

test("a user who is asked for by an address with a line break in it is not found", async () => {
  const problem = await scene.refused({ onBehalfOf: "alice@example.org\r\nBcc: victim@example.com" });
  assert.equal(problem.type, "identity-not-confirmed");
});

for (const field of ["text", "html"] as const) {
  test(`${field} with a control character that is no line end and no tab is refused`, async () => {
    for (const text of ["\0", "a\u0008b", "\u001b[2J", "\u007f", "\u0080", "\ud800", "\u000b"]) {
      const problem = await scene.refused({ [field]: text });
      assert.deepEqual([problem.type, problem.field], ["invalid-field", field], JSON.stringify(text));
    }
  });
}

/** Texts with everything that means something in a header, in MIME and in HTML. */
const hostile = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...[" ", "  ", "\t", ";", ":", ",", "<", ">", '"', "\\", "(", ")", "=?", "?=", ENCODED, "@"],
        ...[
          "Bcc: a@b.example",
          "--",
          "\u00e4",
          "🎂",
          "=",
          ".",
          "\u202e",
          "_NmP",
          "</body>",
          "<!--",
          "x".repeat(80),
        ],
        ...["undisclosed-recipients:;", "\u00a0", "\r\n", "\n", "\r", "\0"],
      ),
      fc.string({ unit: "binary", maxLength: 4 }),
    ),
    { maxLength: 12 },
  )
  .map((pieces) => pieces.join(""));

const localPart = fc.string({ unit: "binary", minLength: 1, maxLength: 20 });
const address = fc
  .tuple(fc.oneof(hostile, localPart), fc.constantFrom("example.net", "b\u00fccher.example", "[192.0.2.1]"))
  .map(([local, domain]) => renderMailbox({ localPart: local, domain }));

test("whatever is in its fields, a message that is sent has no field but the declared, each once, and says what was given", async () => {
  let sent = 0;
  const request = fc.record(
    {
      subject: hostile,
      text: hostile,
      html: hostile,
      name: hostile,
      replyTo: address,
      to: fc.array(fc.oneof(address, fc.constant("bob@example.net")), { minLength: 1, maxLength: 2 }),
      profile: fc.constantFrom("on-behalf", "transactional", "unimportant"),
      fromMode: fc.constantFrom("site", "user"),
    },
    { requiredKeys: ["subject", "text", "to", "profile"] },
  );
  await fc.assert(
    fc.asyncProperty(request, async (given) => {
      const before = scene.store.mails.length;
      const { name, fromMode, replyTo, ...rest } = given;
      const own = given.profile === "on-behalf" ? { name, fromMode } : { replyTo };
      const wish = Object.fromEntries(
        Object.entries({ ...rest, ...own }).filter(([, value]) => value !== undefined),
      );
      const outcome = await scene.send(wish as Partial<MessageRequest>);
      const mails = scene.store.mails.slice(before);
      if (!outcome.ok) return assert.equal(mails.length, 0);
      assert.equal(mails.length, given.to.length);
      for (const [place, { message, recipient }] of mails.entries()) {
        sent++;
        checkMail(message, recipient, given.to[place] ?? "", wish as unknown as MessageRequest);
      }
    }),
    {
      numRuns: RUNS,
      examples: [
        [{ subject: `${"x".repeat(80)} `, text: "!", to: ["bob@example.net"], profile: "on-behalf" }],
        [{ subject: "x", text: "!\r\n-- ", to: ["bob@example.net"], profile: "on-behalf" }],
      ],
    },
  );
  assert.ok(sent > RUNS / 20, `${sent} were sent`);
});

function checkMail(message: Buffer, recipient: Mailbox, to: string, wish: MessageRequest): void {
  const mail = readMail(message);
  const names = fieldNames(mail).map((name) => name.toLowerCase());
  assert.deepEqual(
    names.filter((name) => !DECLARED.has(name)),
    [],
    message.toString(),
  );
  assert.equal(new Set(names).size, names.length, "each once");
  const parsed = parseMailbox(to);
  assert.ok(parsed.ok);
  assert.deepEqual(recipient, parsed.mailbox);
  const told = parseMailbox(addressIn(rawFieldOf(mail, "To") ?? "").address);
  assert.deepEqual(told.ok && told.mailbox, recipient);
  // White space at the ends, and how much of it there is, is no part of a subject.
  assert.equal(collapsed(fieldOf(mail, "Subject") ?? ""), collapsed(wish.subject));
  const from = addressIn(rawFieldOf(mail, "From") ?? "").address;
  assert.equal(
    from,
    wish.fromMode !== "site" && wish.profile === "on-behalf" ? "alice@example.org" : "cards@site.example",
  );
  const text = mail.parts.get("text/plain") ?? "";
  // What is given may have such a line of its own: ours is the last.
  const foot = text.lastIndexOf("\r\n-- \r\n");
  assert.ok(foot >= 0, text);
  assert.equal(text.slice(0, foot).trimEnd(), wish.text.replace(/\r\n|\r|\n/g, "\r\n").trimEnd());
  assert.equal(mail.parts.has("text/html"), wish.html !== undefined);
}

function collapsed(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

test("a name that HTML would take for markup is text at the foot", async () => {
  await scene.confirm('"<img src=x>&"@example.org');
  await scene.sent({ onBehalfOf: '"<img src=x>&"@example.org', html: "<html><body><p>Hi</p></BODY></html>" });
  const html = readMail(scene.store.mails.at(-1)?.message ?? Buffer.alloc(0)).parts.get("text/html") ?? "";
  assert.doesNotMatch(html, /<img/);
  assert.match(
    html,
    /^<html><body><p>Hi<\/p><hr>\r\n<p><small>&#34;&#60;img src=x&#62;&#38;&#34;@example\.org asked/,
  );
  assert.match(html, /<\/small><\/p>\r\n<\/BODY><\/html>/);
});
