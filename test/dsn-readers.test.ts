// What we write about a failure, read by programs of others: Python's email package, Mailman's flufl.bounce and Perl's
// Mail::DeliveryStatus::BounceParser find the alias and the status. DSNs of our own, and remote ones that we re-issue.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import {
  composeDsn,
  composeFoldedNotice,
  type Dsn,
  type DsnAction,
  readBounce,
  reissue,
} from "@homing/bounce-handler";
import { storiesNeed } from "./harness/availability.ts";
import { perlReader, pythonReader, READER_PACKAGES } from "./harness/dsn-readers.ts";

const skip = (await storiesNeed(...READER_PACKAGES)) ?? false;
const SAMPLES = join(import.meta.dirname, "../packages/bounce-handler/testdata/dsn");
const ALIAS = { localPart: "alice", domain: "forwarder.example" };
const NOW = 1_800_000_000;
const ORIGINAL = [
  "From: Bob <bob@origin.example>",
  "To: alice@forwarder.example",
  "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=",
  "Message-ID: <1@origin.example>",
  "",
  "the body",
  "",
].join("\r\n");

function dsn(action: DsnAction, enhanced: string, more: Partial<Dsn> = {}): Dsn {
  return {
    hostname: "mx.forwarder.example",
    id: "0123abcd",
    now: NOW,
    to: { localPart: "bob", domain: "origin.example" },
    envid: "order+2B17",
    arrived: NOW - 3600,
    recipients: [{ final: ALIAS, orcpt: "rfc822;Alice+2Bx@forwarder.example", action, enhanced }],
    original: Buffer.from(ORIGINAL),
    ...more,
  };
}

const own: [what: string, dsn: Dsn, permanent: readonly string[], temporary: readonly string[]][] = [
  ["a failure", dsn({ kind: "failed" }, "5.1.1"), ["alice@forwarder.example"], []],
  ["a delay", dsn({ kind: "delayed", until: NOW + 3600 }, "4.4.1"), [], ["alice@forwarder.example"]],
  ["a delivery", dsn({ kind: "delivered" }, "2.0.0"), [], []],
  ["a relayed message", dsn({ kind: "relayed" }, "2.0.0"), [], []],
  ["an expanded alias", dsn({ kind: "expanded" }, "2.0.0"), [], []],
  [
    "a failure with the whole message",
    dsn({ kind: "failed" }, "5.2.2", { fullUpTo: 1000 }),
    ["alice@forwarder.example"],
    [],
  ],
];

test("DSNs of our own say the same to programs of others", { skip }, async () => {
  await using python = await pythonReader();
  for (const [what, one, permanent, temporary] of own) {
    const read = await python.read(composeDsn(one));
    const [recipient] = one.recipients;
    assert.deepEqual(read.defects, [], what);
    assert.equal(`${read.type} ${read.reportType}`, "multipart/report delivery-status");
    assert.deepEqual(read.types, [
      "text/plain",
      "message/delivery-status",
      one.fullUpTo ? "message/rfc822" : "text/rfc822-headers",
    ]);
    assert.equal(read.header["auto-submitted"], "auto-replied");
    assert.equal(read.header.references, "<1@origin.example>");
    assert.equal(read.message["original-envelope-id"], "order+17");
    assert.equal(read.message["reporting-mta"], "dns; mx.forwarder.example");
    assert.equal(read.recipients.length, 1);
    assert.equal(read.recipients[0]?.["original-recipient"], "rfc822; Alice+x@forwarder.example");
    assert.equal(read.recipients[0]?.["final-recipient"], "rfc822; alice@forwarder.example");
    assert.equal(read.recipients[0]?.action, recipient.action.kind);
    assert.equal(read.recipients[0]?.status, recipient.enhanced);
    assert.match(read.text, /alice@forwarder\.example/);
    assert.equal(read.returned.subject, "Grüße");
    // flufl.bounce names the original recipient where there is one: the address that its list wrote to.
    const named = (addresses: readonly string[]) =>
      addresses.map((address) => address.replace("+x", "").toLowerCase());
    assert.deepEqual(named(read.permanent), permanent, what);
    assert.deepEqual(named(read.temporary), temporary, what);
  }
});

test("one report about several recipients: each with its own action and status", { skip }, async () => {
  await using python = await pythonReader();
  const read = await python.read(
    composeDsn(
      dsn({ kind: "failed" }, "5.0.0", {
        recipients: [
          { final: ALIAS, action: { kind: "failed" }, enhanced: "5.1.1" },
          { final: { ...ALIAS, localPart: "jör" }, action: { kind: "delayed" }, enhanced: "4.4.1" },
          { final: { ...ALIAS, localPart: "two words" }, action: { kind: "relayed" }, enhanced: "2.0.0" },
        ],
      }),
    ),
  );
  assert.deepEqual(read.defects, []);
  assert.equal(read.header.subject, "Your mail was not delivered");
  assert.deepEqual(
    read.recipients.map((fields) => [fields["final-recipient"], fields.action, fields.status]),
    [
      ["rfc822; alice@forwarder.example", "failed", "5.1.1"],
      ["utf-8; j\\x{F6}r@forwarder.example", "delayed", "4.4.1"],
      ['rfc822; "two words"@forwarder.example', "relayed", "2.0.0"],
    ],
  );
});

test("one notice about many failures names the alias to programs of others, once", { skip }, async () => {
  await using python = await pythonReader();
  await using perl = await perlReader();
  const messageIds = Array.from({ length: 495 }, (_, at) => `<${at}@origin.example>`);
  const notice = composeFoldedNotice({
    hostname: "mx.forwarder.example",
    id: "0123abcd",
    now: NOW,
    to: { localPart: "bob", domain: "origin.example" },
    alias: ALIAS,
    count: 500,
    messageIds,
    since: NOW - 3600,
    enhanced: "5.1.1",
    class: "hard",
  });
  const read = await python.read(notice);
  assert.deepEqual(read.defects, []);
  assert.equal(`${read.type} ${read.reportType}`, "multipart/report delivery-status");
  assert.deepEqual(read.types, ["text/plain", "message/delivery-status"]);
  assert.equal(read.header.references, undefined);
  assert.deepEqual(read.recipients, [
    { "final-recipient": "rfc822; alice@forwarder.example", action: "failed", status: "5.1.1" },
  ]);
  assert.deepEqual([read.permanent, read.temporary], [["alice@forwarder.example"], []]);
  assert.deepEqual(
    read.text.split(/\r?\n/).flatMap((line) => /^ {4}(<.*>)$/.exec(line)?.slice(1) ?? []),
    messageIds,
  );
  const { isBounce, reports } = await perl.read(notice);
  assert.equal(isBounce, 1);
  assert.deepEqual(
    reports.map(({ email, status }) => [email, status]),
    [["alice@forwarder.example", "5.1.1"]],
  );
  const [own, ...others] = readBounce(notice).recipients;
  assert.deepEqual([own?.finalRecipient, own?.class, others], ["alice@forwarder.example", "hard", []]);
});

for (const isProven of [true, false]) {
  const what = isProven ? "a returned header that is proven" : "of one that is not, the Message-ID alone";
  test(`programs of others find in our DSN ${what}`, { skip }, async () => {
    await using python = await pythonReader();
    const report = readBounce(readFileSync(join(SAMPLES, "postfix-rcpt550.eml")));
    const reissued = reissue({
      report,
      hostname: "mx.forwarder.example",
      id: "0123abcd",
      now: NOW,
      to: { localPart: "alice", domain: "sender.example" },
      alias: ALIAS,
      diagnostic: "code",
      proven: isProven ? report.returned : undefined,
    });
    assert.equal(reissued.kind, "dsn");
    const { returned, defects } = await python.read(reissued.octets);
    assert.deepEqual(defects, []);
    const names = isProven ? ["message-id", "date", "subject", "from", "to"] : ["message-id"];
    assert.deepEqual(Object.keys(returned), names);
    assert.equal(returned["message-id"], "<rcpt550.lab@sender.example>");
    assert.equal(returned.subject, isProven ? "lab case rcpt550" : undefined);
  });
}

const remote: [sample: string, status: string, outcome: "permanent" | "temporary" | "none"][] = [
  ["postfix-rcpt550", "5.1.1", "permanent"],
  ["exim-quota552", "5.2.2", "permanent"],
  ["opensmtpd-dmarc550", "5.7.26", "permanent"],
  ["sendmail-policy554", "5.7.1", "permanent"],
  ["postfix-delay-expire-expired", "4.3.0", "permanent"],
  ["exim-delay-expire-delay", "4.3.0", "temporary"],
  ["sendmail-success-relayed", "2.1.5", "none"],
];

test("a remote bounce, re-issued, names the alias to programs of others", { skip }, async () => {
  await using python = await pythonReader();
  await using perl = await perlReader();
  for (const [sample, status, outcome] of remote) {
    const reissued = reissue({
      report: readBounce(readFileSync(join(SAMPLES, `${sample}.eml`))),
      hostname: "mx.forwarder.example",
      id: "0123abcd",
      now: NOW,
      to: { localPart: "alice", domain: "sender.example" },
      alias: ALIAS,
      diagnostic: "code",
    });
    assert.equal(reissued.kind, "dsn");
    const read = await python.read(reissued.octets);
    assert.deepEqual(read.defects, [], sample);
    assert.equal(read.recipients[0]?.["final-recipient"], "rfc822; alice@forwarder.example");
    assert.equal(read.recipients[0]?.status, status, sample);
    const address = ["alice@forwarder.example"];
    assert.deepEqual(read.permanent, outcome === "permanent" ? address : [], sample);
    assert.deepEqual(read.temporary, outcome === "temporary" ? address : [], sample);
    const { isBounce, reports, messageId } = await perl.read(reissued.octets);
    assert.equal(isBounce, outcome === "permanent" ? 1 : 0, sample);
    if (outcome !== "permanent") continue;
    assert.deepEqual(
      reports.map(({ email, status }) => [email, status]),
      [["alice@forwarder.example", status]],
    );
    // It does not come back where it has the private local part in it: `dmarc@` of `<dmarc550.lab@…>`.
    assert.equal(
      messageId,
      sample === "postfix-rcpt550" ? "<rcpt550.lab@sender.example>" : (read.returned["message-id"] ?? null),
    );
  }
});
