import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readBounce } from "../read/reader.ts";
import { composeDsn } from "./compose-dsn.ts";
import type { Dsn, DsnRecipient } from "./dsn.ts";

const ORIGINAL = [
  "From: Bob <bob@origin.example>",
  "To: alice@forwarder.example",
  "Subject: x",
  "Message-ID: <1@origin.example>",
  "",
  "the body",
  "",
].join("\r\n");

const ALICE: DsnRecipient = {
  final: { localPart: "alice", domain: "forwarder.example" },
  action: { kind: "failed" },
  enhanced: "5.2.2",
};

const DSN: Dsn = {
  hostname: "mx.forwarder.example",
  id: "0123abcd",
  now: 1_800_000_100,
  to: { localPart: "bob", domain: "origin.example" },
  recipients: [{ ...ALICE, lastAttempt: 1_800_000_100 }],
  arrived: 1_800_000_000,
  original: Buffer.from(ORIGINAL),
};

function written(changed: Partial<Dsn> = {}): string {
  return composeDsn({ ...DSN, ...changed }).toString("utf8");
}

test("a failure is told with the address that the sender wrote, the status, and words about it", () => {
  assert.equal(
    written(),
    [
      "From: Mail Delivery System <mailer-daemon@mx.forwarder.example>",
      "To: <bob@origin.example>",
      "Subject: Your mail was not delivered",
      "Date: Fri, 15 Jan 2027 08:01:40 +0000",
      "Message-ID: <0123abcd@mx.forwarder.example>",
      "In-Reply-To: <1@origin.example>",
      "References: <1@origin.example>",
      "Auto-Submitted: auto-replied",
      "MIME-Version: 1.0",
      'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="=_0123abcd"',
      "",
      "--=_0123abcd",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "Sorry: your mail of Fri, 15 Jan 2027 08:00:00 +0000 to",
      "",
      "    alice@forwarder.example",
      "",
      "could not be delivered.",
      "",
      "The mailbox is full.",
      "Send it again later, or tell its owner by other means.",
      "",
      "(Status 5.2.2.)",
      "",
      "--=_0123abcd",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; mx.forwarder.example",
      "Arrival-Date: Fri, 15 Jan 2027 08:00:00 +0000",
      "",
      "Final-Recipient: rfc822; alice@forwarder.example",
      "Action: failed",
      "Status: 5.2.2",
      "Last-Attempt-Date: Fri, 15 Jan 2027 08:01:40 +0000",
      "",
      "--=_0123abcd",
      "Content-Type: text/rfc822-headers",
      "",
      "From: Bob <bob@origin.example>",
      "To: alice@forwarder.example",
      "Subject: x",
      "Message-ID: <1@origin.example>",
      "",
      "--=_0123abcd--",
      "",
    ].join("\r\n"),
  );
});

test("a delay is a warning, with the time until which it is tried", () => {
  const text = written({
    recipients: [{ ...ALICE, action: { kind: "delayed", until: 1_800_345_600 }, enhanced: "4.4.1" }],
  });
  assert.match(text, /\r\nSubject: Your mail is delayed\r\n/);
  assert.match(text, /\r\nAction: delayed\r\nStatus: 4\.4\.1\r\n/);
  assert.match(text, /\r\nWill-Retry-Until: Tue, 19 Jan 2027 08:00:00 \+0000\r\n/);
  assert.match(text, /you need not do anything/);
});

test("an address with UTF-8 is written in 7-bit characters in the status part (RFC 6533 §3)", () => {
  const text = written({
    recipients: [{ ...ALICE, final: { localPart: "jör", domain: "forwarder.example" } }],
  });
  assert.match(text, /\r\nFinal-Recipient: utf-8; j\\x\{F6\}r@forwarder\.example\r\n/);
  assert.match(text, /charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n/);
  assert.match(text, /^[\t\r\n -~]*$/);
});

test("what is no QCHAR is escaped, too, where an address is of type utf-8 (RFC 6533 §3)", () => {
  const final = { localPart: "jör+a=b\\ c", domain: "forwarder.example" };
  const text = written({
    recipients: [{ ...ALICE, final, orcpt: "utf-8;j+5Cx{F6}r+2Bx@forwarder.example" }],
  });
  const [, fields = ""] = text.split("message/delivery-status\r\n\r\n");
  const [, address = ""] = /\r\nFinal-Recipient: utf-8; (.*)\r\n/.exec(fields) ?? [];
  assert.equal(address, '"j\\x{F6}r\\x{2B}a\\x{3D}b\\x{5C}\\x{5C}\\x{20}c"@forwarder.example');
  assert.match(fields, /\r\nOriginal-Recipient: utf-8; j\\x\{F6\}r\\x\{2B\}x@forwarder\.example\r\n/);
  const [read] = readBounce(Buffer.from(text)).recipients;
  assert.equal(read?.finalRecipient, '"jör+a=b\\\\ c"@forwarder.example');
  assert.match(
    written({ recipients: [{ ...ALICE, final: { ...final, localPart: "a+b=c" } }] }),
    /rfc822; a\+b=c@/,
  );
});

test("a header of 8 bits or of endless lines comes back as mail of 7 bits", () => {
  for (const subject of ["Gr\xfc\xdfe", "x".repeat(5000)]) {
    const text = written({ original: Buffer.from(`Subject: ${subject}\r\n\r\nbody\r\n`, "latin1") });
    assert.match(text, /text\/rfc822-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n/);
    assert.match(text, /^[\t\r\n -~]*$/);
    for (const line of text.split("\r\n")) assert.ok(line.length <= 998);
    assert.ok(!text.includes("body"));
  }
});

const headers: [what: string, original: string, returned: string][] = [
  ["no body", "A: 1\r\n", "A: 1\r\n"],
  ["an endless header", `A: 1\r\n${"B: 2\r\n".repeat(30_000)}\r\n`, `A: 1\r\n${"B: 2\r\n".repeat(17_065)}`],
];
for (const [what, original, returned] of headers) {
  test(`of a message with ${what}, the header comes back and no more`, () => {
    const text = written({ original: Buffer.from(original) });
    assert.equal(text.split("text/rfc822-headers\r\n\r\n")[1], `${returned}\r\n--=_0123abcd--\r\n`);
  });
}

for (const original of ["\r\nbody\r\n", ""]) {
  test(`${JSON.stringify(original)} has no header that could come back: the report has two parts`, () => {
    assert.equal(written({ original: Buffer.from(original) }).split("--=_0123abcd\r\n").length, 3);
  });
}

test("a Message-ID that is none is not repeated in a header of ours", () => {
  for (const id of ["x", "<a b@c>", "<a@b>\r\n\tX: y", "<ü@b>"]) {
    const text = written({ original: Buffer.from(`Message-ID: ${id}\r\n\r\n`) });
    assert.equal(text.includes("References:"), id.startsWith("<a@b>"), id);
  }
});

test("a Message-ID that is a link or a sentence is not repeated either", () => {
  for (const id of [
    "<https://evil.example/@b>",
    "<http:x@b>",
    "<a@b/c>",
    "<evil.example/x@b>",
    "<a@b@c>",
    "<a@[b]>",
  ]) {
    const text = written({ original: Buffer.from(`Message-ID: ${id}\r\n\r\n`) });
    assert.doesNotMatch(text, /References:|In-Reply-To:/, id);
  }
});

test("identifiers of the sender come back only if he gave them", () => {
  const without = written();
  assert.doesNotMatch(without, /Original-/);
  const text = written({
    envid: "order+2B17",
    recipients: [{ ...ALICE, orcpt: "rfc822;Alice+2Bx@forwarder.example" }],
  });
  assert.match(text, /\r\n\r\nOriginal-Envelope-Id: order\+17\r\nReporting-MTA: /);
  assert.match(text, /\r\n\r\nOriginal-Recipient: rfc822; Alice\+x@forwarder\.example\r\nFinal-Recipient: /);
});

test("an alias that is not known is withheld, and no date of arrival is made up", () => {
  const text = written({ arrived: undefined, recipients: [{ ...ALICE, final: "withheld" }] });
  assert.match(
    text,
    /\r\nReporting-MTA: dns; mx\.forwarder\.example\r\n\r\nFinal-Recipient: x-homing; withheld\r\n/,
  );
  assert.match(
    text,
    /\r\nSorry: your mail to\r\n\r\n {4}\(an address for which mx\.forwarder\.example takes mail\)\r\n/,
  );
});

const actions: [action: DsnRecipient["action"]["kind"], subject: RegExp, words: RegExp][] = [
  ["failed", /was not delivered/, /could not be delivered/],
  ["delayed", /is delayed/, /It will be tried again/],
  ["delivered", /was delivered/, /was delivered\./],
  ["relayed", /was passed on/, /does not tell of deliveries/],
  ["expanded", /was passed on/, /several addresses/],
];
for (const [kind, subject, words] of actions) {
  test(`${kind}: subject, words and action go together`, () => {
    const text = written({ recipients: [{ ...ALICE, action: { kind } }] });
    assert.match(/\r\nSubject: (.*)\r\n/.exec(text)?.[1] ?? "", subject);
    assert.match(text, words);
    assert.match(text, new RegExp(`\r\nAction: ${kind}\r\n`));
  });
}

test("the worst that became of several recipients is the subject; each has a block of its own", () => {
  const text = written({
    recipients: [
      { ...ALICE, action: { kind: "relayed" }, enhanced: "2.0.0" },
      { ...ALICE, action: { kind: "failed" } },
    ],
  });
  assert.match(text, /\r\nSubject: Your mail was not delivered\r\n/);
  assert.equal(text.split("\r\n\r\nFinal-Recipient: ").length, 3);
});

test("RET=FULL: the whole message comes back for a failure, up to the limit, if it is mail of 7 bits", () => {
  const isWhole = (changed: Partial<Dsn>) => /message\/rfc822\r\n\r\nFrom: Bob/.test(written(changed));
  const size = ORIGINAL.length;
  assert.equal(isWhole({ fullUpTo: size }), true);
  assert.equal(isWhole({ fullUpTo: size - 1 }), false);
  assert.equal(isWhole({}), false);
  assert.equal(isWhole({ fullUpTo: size, recipients: [{ ...ALICE, action: { kind: "delayed" } }] }), false);
  assert.equal(isWhole({ fullUpTo: size + 9, original: Buffer.from(`${ORIGINAL}ö`) }), false);
  assert.match(written({ fullUpTo: size }), /\r\nthe body\r\n\r\n--=_0123abcd--\r\n$/);
});

test("over SMTPUTF8 an address stands as it is, in a status part of its own type (RFC 6533 §4)", () => {
  const jör = { localPart: "jör", domain: "forwarder.example" };
  const text = written({
    smtpUtf8: true,
    recipients: [{ ...ALICE, final: jör, orcpt: "utf-8;j+5Cx{F6}r@forwarder.example" }],
    original: Buffer.from("Subject: Grüße\r\n\r\n"),
  });
  assert.match(
    text,
    /\r\nContent-Type: message\/global-delivery-status\r\nContent-Transfer-Encoding: 8bit\r\n\r\nReporting/,
  );
  assert.match(text, /\r\nOriginal-Recipient: utf-8; jör@forwarder\.example\r\nFinal-Recipient: utf-8; jör@/);
  assert.match(text, /\r\nContent-Type: message\/global-headers\r\n/);
  assert.match(written({ smtpUtf8: true }), /\r\nContent-Type: message\/delivery-status\r\n/);
});

test("a diagnostic is one short line of ASCII, whatever it was", () => {
  const text = written({ recipients: [{ ...ALICE, diagnostic: `smtp; 550 ü\r\nX: y ${"x".repeat(2000)}` }] });
  assert.match(text, /\r\nDiagnostic-Code: smtp; 550 \?\?\?X: y x+\r\n/);
  for (const line of text.split("\r\n")) assert.ok(line.length <= 998);
});

test("words are those of the status, and of the class where the status says little", () => {
  const words = (enhanced: string, bounceClass: DsnRecipient["class"]) =>
    written({ recipients: [{ ...ALICE, enhanced, class: bounceClass }] });
  assert.match(words("5.1.1", "hard"), /The mailbox behind this address does not exist/);
  assert.match(words("5.7.1", "spam"), /taken for spam/);
  assert.match(words("5.0.0", "policy"), /a rule of the server/);
  assert.match(words("5.7.26", "policy"), /SPF, DKIM and DMARC/);
  assert.match(words("5.2.2", "spam"), /The mailbox is full/);
  assert.match(words("5.0.0", "hard"), /did not take the message/);
});

test("the address that the sender wrote was right: nothing tells him to look for errors in it", () => {
  for (const enhanced of ["5.0.0", "5.1.0", "5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.0", "5.2.1"]) {
    const text = written({ recipients: [{ ...ALICE, enhanced, class: "hard" }] });
    assert.doesNotMatch(text, /[Cc]heck|typing|right one|no such/, enhanced);
    assert.match(text, /\r\nTell (the owner of the address|its owner) by other means\.\r\n/, enhanced);
  }
});

test("a success that another server reports is its word; our own is ours; a failure is told in the same words", () => {
  const successes: DsnRecipient["action"]["kind"][] = ["delivered", "relayed", "expanded"];
  for (const kind of successes) {
    const recipients = [{ ...ALICE, action: { kind }, enhanced: "2.0.0" }] as const;
    assert.match(
      written({ recipients }),
      /\r\nSubject: Your mail was (.*\r\n)*For your information: your mail of /,
    );
    const hearsay = written({ recipients, isHearsay: true });
    assert.match(hearsay, /\r\nSubject: A server reports that your mail was /);
    assert.match(hearsay, /: the server behind this address reports that\r\nyour mail of /);
  }
  assert.equal(written({ isHearsay: true }), written());
});

test("whatever comes from outside, a DSN is mail of 7 bits with three parts at most", () => {
  const piece = fc.constantFrom(
    "\r\n",
    "\n",
    "\r",
    " ",
    "\0",
    "é",
    ":",
    ";",
    "+0D+0A",
    "\r\n\r\n",
    "X: y",
    "a".repeat(400),
  );
  const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, text, text, text, (envid, orcpt, diagnostic, original) => {
      const message = written({
        envid,
        original: Buffer.from(original),
        fullUpTo: 3000,
        recipients: [{ ...ALICE, orcpt: `rfc822;${orcpt}`, diagnostic }],
      });
      assert.doesNotMatch(message, /[^\0-\x7f]|\0/);
      for (const line of message.split("\r\n")) {
        assert.ok(line.length <= 998);
        assert.doesNotMatch(line, /[\r\n]/);
      }
      assert.ok(message.split("\r\n--=_0123abcd").length <= 5);
      const [, status = ""] = message.split("message/delivery-status\r\n\r\n");
      assert.equal(status.split("\r\n--")[0]?.split("\r\n\r\n").length, 2);
    }),
  );
});
