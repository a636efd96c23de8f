import assert from "node:assert/strict";
import { test } from "node:test";
import { composeDsn, type Dsn } from "./compose-dsn.ts";

const ORIGINAL = [
  "From: Bob <bob@origin.example>",
  "To: alice@forwarder.example",
  "Subject: x",
  "Message-ID: <1@origin.example>",
  "",
  "the body",
  "",
].join("\r\n");

const DSN: Dsn = {
  action: { kind: "failed" },
  hostname: "mx.forwarder.example",
  id: "0123abcd",
  now: 1_800_000_100,
  to: { localPart: "bob", domain: "origin.example" },
  failed: { recipient: { localPart: "alice", domain: "forwarder.example" }, enhanced: "5.2.2" },
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
    action: { kind: "delayed", until: 1_800_345_600 },
    failed: { ...DSN.failed, enhanced: "4.4.1" },
  });
  assert.match(text, /\r\nSubject: Your mail is delayed\r\n/);
  assert.match(text, /\r\nAction: delayed\r\nStatus: 4\.4\.1\r\n/);
  assert.match(text, /\r\nWill-Retry-Until: Tue, 19 Jan 2027 08:00:00 \+0000\r\n/);
  assert.match(text, /you need not do anything/);
});

test("an address with UTF-8 is written in 7-bit characters in the status part (RFC 6533 §3)", () => {
  const text = written({
    failed: { recipient: { localPart: "jör", domain: "forwarder.example" }, enhanced: "5.1.1" },
  });
  assert.match(text, /\r\nFinal-Recipient: utf-8; j\\x\{F6\}r@forwarder\.example\r\n/);
  assert.match(text, /charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n/);
  assert.match(text, /^[\t\r\n -~]*$/);
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
  ["no header at all", "\r\nbody\r\n", ""],
  ["nothing", "", ""],
  ["no body", "A: 1\r\n", "A: 1\r\n"],
  ["an endless header", `A: 1\r\n${"B: 2\r\n".repeat(30_000)}\r\n`, `A: 1\r\n${"B: 2\r\n".repeat(17_065)}`],
];
for (const [what, original, returned] of headers) {
  test(`of a message with ${what}, the header comes back and no more`, () => {
    const text = written({ original: Buffer.from(original) });
    assert.equal(text.split("text/rfc822-headers\r\n\r\n")[1], `${returned}\r\n--=_0123abcd--\r\n`);
  });
}

test("a Message-ID that is none is not repeated in a header of ours", () => {
  for (const id of ["x", "<a b@c>", "<a@b>\r\n\tX: y", "<ü@b>"]) {
    const text = written({ original: Buffer.from(`Message-ID: ${id}\r\n\r\n`) });
    assert.equal(text.includes("References:"), id.startsWith("<a@b>"), id);
  }
});
