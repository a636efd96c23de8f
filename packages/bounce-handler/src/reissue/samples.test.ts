// Real DSNs of four mail servers, re-issued: nothing in them tells the private address.
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import { readBounce } from "../read/reader.ts";
import { leaksIn } from "../testing/leaks.ts";
import { leaksInDsn, mailbox, type Sample, sampleOctets, samples, secretWords } from "../testing/samples.ts";
import type { DiagnosticPolicy } from "./diagnostic.ts";
import { type Reissued, type ReissueOptions, reissue } from "./reissue.ts";

const ALIAS = mailbox("info@forwarder.example");
const POLICIES: readonly DiagnosticPolicy[] = ["none", "code", "redacted"];

/** Of a message that its server expanded: the report is about the alias. */
const NAMES_NO_TARGET = "postfix-alias-success.eml";

type Scene = Omit<ReissueOptions, "report" | "diagnostic">;

function sceneOf({ unwrapsTo }: Sample, alias: Mailbox | undefined): Scene {
  return {
    hostname: "mx.forwarder.example",
    id: "0123abcd",
    now: 1_800_000_000,
    to: mailbox(unwrapsTo),
    alias,
  };
}

function written(sample: Sample, alias: Mailbox | undefined, diagnostic: DiagnosticPolicy) {
  const report = readBounce(sampleOctets(sample));
  const reissued: Reissued = reissue({ ...sceneOf(sample, alias), report, diagnostic });
  assert.equal(reissued.kind, "dsn");
  return reissued;
}

function assertSilent(sample: Sample, alias: Mailbox | undefined): void {
  for (const policy of POLICIES) {
    const text = written(sample, alias, policy).octets.toString();
    assert.deepEqual(leaksInDsn(text, sample, sceneOf(sample, alias)), [], text);
  }
}

/** Of the private address, at our domain. */
function aliasOfSameName({ truth }: Sample): Mailbox {
  return mailbox(`${truth[0]?.privateRecipient.split("@")[0]}@forwarder.example`);
}

test("there are 57 samples", () => assert.equal(samples.length, 57));

for (const sample of samples) {
  const known = sample.truth[0]?.senderKnows;
  const alias = known ? mailbox(known) : ALIAS;
  test(`${sample.file}: the sender gets a DSN about the alias, with nothing of the private address`, () => {
    assertSilent(sample, alias);
    assertSilent(sample, undefined);
    assertSilent(sample, aliasOfSameName(sample));
    const { octets, action, enhanced } = written(sample, alias, "code");
    const final = `\r\n\r\nFinal-Recipient: rfc822; ${renderMailbox(alias)}\r\nAction: ${action}\r\nStatus: ${enhanced}\r\n`;
    assert.ok(octets.includes(final), octets.toString());
    const outcomes = sample.truth.map(({ outcome }) => outcome);
    assert.equal(action === "failed", outcomes.includes("failed"));
    assert.equal(action === "delayed", outcomes.includes("delayed"));
    const codes = sample.truth.map(({ remoteEnhanced }) => remoteEnhanced ?? "");
    if (outcomes[0] === "failed" && codes[0])
      assert.ok(codes.includes(enhanced), `${enhanced}, not ${codes}`);
  });

  test(`${sample.file}: in the bounce itself, the private address can be read`, () => {
    const bounce = sampleOctets(sample).toString();
    const addresses = sample.truth.map(({ privateRecipient }) => privateRecipient);
    assert.equal(leaksIn(bounce, addresses, []).length > 0, sample.file !== NAMES_NO_TARGET);
  });
}

test("where alias and private address share the local part, the host does not show", () => {
  const sample = samples.find(({ file }) => file === "postfix-rcpt550.eml");
  assert.ok(sample);
  const alias = aliasOfSameName(sample);
  assert.equal(renderMailbox(alias), "nouser@forwarder.example");
  const hosts = ["dest.example", "mta.relay.example", "mx.dest.example"];
  assert.deepEqual(secretWords(sample, alias).sort(), [...hosts, "nouser@dest.example"]);
  assertSilent(sample, alias);
  // What the words would find if it were there.
  const text = written(sample, alias, "redacted").octets.toString();
  for (const host of hosts) {
    const told = text.replace("<rcpt550.lab@", `<${Buffer.from(host).toString("base64")}@`);
    assert.notEqual(told, text);
    assert.notDeepEqual(leaksInDsn(told, sample, sceneOf(sample, alias)), [], host);
  }
});

const UNKNOWN_USER = "postfix-rcpt550.eml";

function returnedBy(proven: boolean): string[] {
  const sample = samples.find(({ file }) => file === UNKNOWN_USER);
  assert.ok(sample);
  const report = readBounce(sampleOctets(sample));
  const reissued = reissue({
    ...sceneOf(sample, mailbox("shop@fwd.example.net")),
    ...{ report, diagnostic: "redacted" },
    proven: proven ? report.returned : undefined,
  });
  assert.equal(reissued.kind, "dsn");
  assert.equal(reissued.messageId, "<rcpt550.lab@sender.example>");
  assert.match(
    reissued.octets.toString(),
    /\r\nDiagnostic-Code: smtp; 550 5\.1\.1 \[\.\.\.\] Recipient address rejected User unknown in virtual mailbox table\r\n/,
  );
  const [, returned = ""] = reissued.octets.toString().split("text/rfc822-headers\r\n\r\n");
  assert.match(returned, /\r\n\r\n--=_0123abcd--\r\n$/);
  return (returned.split("\r\n\r\n")[0] ?? "").split("\r\n");
}

test("of a returned header that nobody proves, the sender gets the Message-ID", () => {
  assert.deepEqual(returnedBy(false), ["Message-ID: <rcpt550.lab@sender.example>"]);
});

test("of a returned header that is proven, the sender gets what tells him which message it was", () => {
  assert.deepEqual(returnedBy(true), [
    "Message-ID: <rcpt550.lab@sender.example>",
    "Date: Fri, 20 Nov 2026 20:00:00 +0000",
    "Subject: lab case rcpt550",
    "From: Alice <alice@sender.example>",
    "To: Shop <shop@fwd.example.net>",
  ]);
});
