import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { composeFoldedNotice, type FoldedNotice } from "./folded-notice.ts";

const NOTICE: FoldedNotice = {
  hostname: "mx.forwarder.example",
  id: "0123abcd",
  now: 1_800_003_600,
  to: { localPart: "bob", domain: "origin.example" },
  alias: { localPart: "alice", domain: "forwarder.example" },
  count: 3,
  messageIds: ["<1@origin.example>", "<2@origin.example>"],
  since: 1_800_000_000,
  enhanced: "5.1.1",
  class: "hard",
};

function written(changed: Partial<FoldedNotice> = {}): string {
  return composeFoldedNotice({ ...NOTICE, ...changed }).toString("utf8");
}

test("one DSN about the alias names each message, and says how many are not named", () => {
  assert.equal(
    written(),
    [
      "From: Mail Delivery System <mailer-daemon@mx.forwarder.example>",
      "To: <bob@origin.example>",
      "Subject: 3 further mails of yours could not be delivered",
      "Date: Fri, 15 Jan 2027 09:00:00 +0000",
      "Message-ID: <0123abcd@mx.forwarder.example>",
      "Auto-Submitted: auto-replied",
      "MIME-Version: 1.0",
      'Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary="=_0123abcd"',
      "",
      "--=_0123abcd",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "Sorry: 3 further messages of yours to",
      "",
      "    alice@forwarder.example",
      "",
      "could not be delivered since Fri, 15 Jan 2027 08:00:00 +0000.",
      "You were told of the first ones one by one, and are told of the further ones",
      "together, from time to time.",
      "",
      "This is what happened to one of them:",
      "",
      "The mailbox behind this address does not exist, or no longer exists.",
      "Tell the owner of the address by other means.",
      "",
      "(Status 5.1.1.)",
      "",
      "Their Message-IDs:",
      "",
      "    <1@origin.example>",
      "    <2@origin.example>",
      "",
      "Not listed: 1 more.",
      "",
      "--=_0123abcd",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; mx.forwarder.example",
      "",
      "Final-Recipient: rfc822; alice@forwarder.example",
      "Action: failed",
      "Status: 5.1.1",
      "",
      "--=_0123abcd--",
      "",
    ].join("\r\n"),
  );
});

test("of one message it speaks as of one", () => {
  const text = written({ count: 1, messageIds: ["<1@origin.example>"] });
  assert.match(text, /\r\nSubject: 1 further mail of yours could not be delivered\r\n/);
  assert.match(text, /\r\nSorry: 1 further message of yours to\r\n/);
  assert.match(text, /\r\nIts Message-ID:\r\n\r\n {4}<1@origin\.example>\r\n\r\n--/);
  assert.doesNotMatch(text, /one of them|Not listed/);
});

test("the alias's owner is told of messages that others wrote, without advice for their senders", () => {
  const text = written({ isForOwner: true });
  assert.match(text, /\r\nSubject: 3 further mails could not be delivered\r\n/);
  assert.match(text, /\r\nSorry: 3 further messages to\r\n/);
  assert.match(
    text,
    /\r\nThe mailbox behind this address does not exist, or no longer exists\.\r\n\r\n\(Status/,
  );
  assert.doesNotMatch(text, /yours/);
});

test("an alias that is not known is withheld", () => {
  const text = written({ alias: undefined });
  assert.match(text, /\r\n\r\nFinal-Recipient: x-homing; withheld\r\nAction: failed\r\n/);
  assert.match(text, /\r\n {4}\(an address for which mx\.forwarder\.example takes mail\)\r\n/);
});

test("an alias with UTF-8 stands as it is over SMTPUTF8, and is escaped elsewhere", () => {
  const alias = { localPart: "jör", domain: "forwarder.example" };
  const escaped = written({ alias });
  assert.match(escaped, /^[\t\r\n -~]*$/);
  assert.match(escaped, /\r\nFinal-Recipient: utf-8; j\\x\{F6\}r@forwarder\.example\r\n/);
  assert.match(written({ alias, smtpUtf8: true }), /\r\nFinal-Recipient: utf-8; jör@forwarder\.example\r\n/);
});

const unlistable: [what: string, messageId: string][] = [
  ["no octets", ""],
  ["a blank", "<a b@c.example>"],
  ["a line end", "<a@c.example>\r\nX: y"],
  ["a control character", "<a\u001b[2J@c.example>"],
  ["UTF-8", "<ü@c.example>"],
  ["more than 200 characters", `<${"x".repeat(199)}>`],
];
for (const [what, messageId] of unlistable) {
  test(`a Message-ID of ${what} is counted, not listed`, () => {
    const text = written({ count: 2, messageIds: [messageId, "<1@origin.example>"] });
    assert.match(text, /Message-IDs:\r\n\r\n {4}<1@origin\.example>\r\n\r\nNot listed: 1 more\.\r\n/);
    assert.match(written({ count: 1, messageIds: [messageId] }), /\r\nNone of them had a Message-ID that/);
  });
}

test("the longest notice has 1,000 Message-IDs, and less than the 256 KiB that the spool keeps in one piece", () => {
  const messageIds = Array.from({ length: 1001 }, (_, at) => `<${String(at).padStart(198, "x")}>`);
  const octets = composeFoldedNotice({ ...NOTICE, count: 5000, messageIds });
  assert.equal(octets.toString().split("    <").length - 1, 1000);
  assert.match(octets.toString(), /x999>\r\n\r\nNot listed: 4000 more\.\r\n/);
  assert.ok(octets.length < 256 * 1024, `${octets.length}`);
});

test("whatever the Message-IDs are, the notice is ASCII in two parts, with a block about one recipient", () => {
  const piece = fc.constantFrom(
    "\r\n",
    "\n",
    "--=_0123abcd",
    "--=_0123abcd--",
    ".",
    "\0",
    "é",
    "Action: x",
    "<a@b>",
  );
  const messageId = fc.array(fc.oneof(piece, fc.string()), { maxLength: 4 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(fc.array(messageId, { maxLength: 30 }), (messageIds) => {
      const text = written({ count: messageIds.length, messageIds });
      assert.match(text, /^[\t\r\n -~]*$/);
      for (const line of text.split("\r\n")) assert.ok(line.length <= 998 && line !== ".");
      assert.equal(text.split("\r\n--=_0123abcd").length, 4);
      assert.equal(text.split("\r\nAction: ").length, 2);
    }),
  );
});
