// What is taken out of a header, and what is put into it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { NULL_PATH, renderMailbox } from "@homing/srs-core";
import { BadMessage } from "./message-input.ts";
import { type Preparation, prepareMessage } from "./prepare.ts";

const SENDER = { localPart: "cards", domain: "site.example" };
const ADDED = "Date: Tue, 14 Nov 2023 22:13:20 +0000\r\nMessage-ID: <id@site.example>\r\n";

function prepared(message: string, more: Partial<Preparation> = {}) {
  const start = Buffer.from(message.replaceAll("\n", "\r\n"));
  const { header, bodyStart, recipients } = prepareMessage({
    ...{ start, isAll: true, sender: SENDER, fullName: undefined, domain: "site.example", fromHeader: true },
    ...{ now: 1_700_000_000, newId: () => "id", ...more },
  });
  return {
    whole: Buffer.concat([header, start.subarray(bodyStart)]).toString(),
    recipients: recipients.map(renderMailbox),
  };
}

test("recipients come from To, Cc and Bcc, and Bcc goes nowhere", () => {
  const { whole, recipients } = prepared(
    "To: ann@a.example\nBcc: x@x.example,\n y@y.example\nCc: root\n\nbody\n",
  );
  assert.deepEqual(recipients, ["ann@a.example", "x@x.example", "y@y.example", "root@site.example"]);
  assert.doesNotMatch(whole, /[xy]\.example/);
  assert.match(whole, /\r\nTo: ann@a\.example\r\nCc: root@site\.example\r\n\r\nbody\r\n$/);
});

test("of a message that is sent on, the new recipients count", () => {
  const { whole, recipients } = prepared(
    "Resent-To: b@b.example\nResent-Bcc: c@c.example\nTo: a@a.example\n\n",
  );
  assert.deepEqual(recipients, ["b@b.example", "c@c.example"]);
  assert.doesNotMatch(whole, /c\.example/);
});

test("missing fields are added, and those that are there stay", () => {
  assert.equal(
    prepared("To: a@a.example\n\nx\n").whole,
    `From: cards@site.example\r\n${ADDED}To: a@a.example\r\n\r\nx\r\n`,
  );
  const full = "from : a@a.example\nDATE: then\nMessage-Id: <1@a.example>\n\nx\n";
  assert.equal(prepared(full).whole, full.replaceAll("\n", "\r\n"));
});

test("a message of the null sender that has no From is the postmaster's", () => {
  assert.ok(prepared("\nx\n", { sender: NULL_PATH }).whole.startsWith("From: postmaster@site.example\r\n"));
});

for (const [name, field] of [
  ["Cron Daemon", "From: Cron Daemon <cards@site.example>"],
  ["Doe, Jo", 'From: "Doe, Jo" <cards@site.example>'],
  ['a"b\\c', 'From: "a\\"b\\\\c" <cards@site.example>'],
  ["Jörg", "From: =?UTF-8?B?SsO2cmc=?= <cards@site.example>"],
  ["=?x?=", "From: =?UTF-8?B?PT94Pz0=?= <cards@site.example>"],
] as const) {
  test(`-F ${name} becomes a name`, () => {
    assert.ok(prepared("\nx\n", { fullName: name }).whole.startsWith(`${field}\r\n`));
  });
}

test("a long name becomes several encoded words, none over 75 characters", () => {
  const { whole } = prepared("\nx\n", { fullName: "ö€😀".repeat(20) });
  const words = whole.slice(0, whole.indexOf("Date:")).match(/=\?\S+/g) ?? [];
  assert.ok(words.length > 2);
  assert.ok(words.every((word) => word.length <= 75));
  const octets = words.map((word) => Buffer.from(word.slice(10, -2), "base64"));
  assert.equal(Buffer.concat(octets).toString(), "ö€😀".repeat(20));
  // Each is whole characters.
  assert.ok(octets.every((one) => !one.toString().includes("\ufffd")));
});

test("bare names get the domain, and comments and names stay", () => {
  const { whole } = prepared(
    'From: root (Cron Daemon)\nTo: ann,\n "b c" <bob>, c@c.example\nSubject: root\n\n',
  );
  assert.match(
    whole,
    /From: root@site\.example \(Cron Daemon\)\r\nTo: ann@site\.example,\r\n "b c" <bob@site\.example>, c@c/,
  );
  assert.match(whole, /Subject: root\r\n/);
});

test("the body begins at the first line that is no field", () => {
  const { whole } = prepared("Subject: x\nhello: no\nhello there\nmore\n");
  assert.match(whole, /Subject: x\r\nhello: no\r\n\r\nhello there\r\nmore\r\n$/);
  assert.match(prepared("hello\n").whole, /\r\n\r\nhello\r\n$/);
  assert.match(prepared(" Subject: x\n").whole, /\r\n\r\n Subject: x\r\n$/);
});

test("a header without a body is a whole message", () => {
  assert.match(prepared("Subject: x\n y\n").whole, /Subject: x\r\n y\r\n\r\n$/);
});

test("lines of an mbox are left out", () => {
  assert.match(
    prepared(">From a@a.example Sat\nFrom b Sun\nSubject: x\n\ny\n").whole,
    /<id@site\.example>\r\nSubject: x\r\n\r\ny\r\n$/,
  );
});

test("a recipient that cannot be read is a refusal, not a recipient less", () => {
  assert.throws(() => prepared("To: a@a.example, b@@b.example\n\n"), BadMessage);
  assert.throws(() => prepared("To: a@a.example\nBcc: <b@b.example\n\n"), /Bcc/);
});

test("a header that goes on behind a megabyte is refused", () => {
  assert.throws(() => prepared("A: b\n".repeat(10), { isAll: false }), BadMessage);
});
