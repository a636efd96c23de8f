// Real DSNs of four mail servers, re-issued: nothing in them tells the private address.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { readBounce } from "../read/reader.ts";
import type { BounceRecipient, BounceReport } from "../read/report.ts";
import { leaksIn } from "../testing/leaks.ts";
import type { DiagnosticPolicy } from "./diagnostic.ts";
import { reissue } from "./reissue.ts";

const FOLDER = join(import.meta.dirname, "../../testdata/dsn");
const ALIAS = mailbox("info@forwarder.example");
const POLICIES: readonly DiagnosticPolicy[] = ["none", "code", "redacted"];

interface Sample {
  readonly file: string;
  readonly unwrapsTo: string;
  readonly perMessage: Readonly<Record<string, string>>;
  readonly reported: readonly Readonly<Record<string, string>>[];
  readonly truth: readonly {
    readonly privateRecipient: string;
    readonly outcome: string;
    readonly remoteEnhanced: string | null;
    readonly senderKnows: string | null;
  }[];
}

const { samples } = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")) as {
  samples: readonly Sample[];
};

function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

function written(
  report: BounceReport,
  to: Mailbox,
  alias: Mailbox | undefined,
  diagnostic: DiagnosticPolicy,
) {
  const reissued = reissue({
    report,
    hostname: "mx.forwarder.example",
    id: "0123abcd",
    now: 1_800_000_000,
    to,
    alias,
    diagnostic,
  });
  assert.equal(reissued.kind, "dsn");
  return reissued;
}

/** Lines that are there for any report with these codes. */
function fixedLines(report: BounceReport, to: Mailbox, alias: Mailbox | undefined): ReadonlySet<string> {
  const bare: BounceReport = {
    ...report,
    reportingMta: undefined,
    originalEnvelopeId: undefined,
    arrivalDate: undefined,
    returned: undefined,
    autoSubmitted: undefined,
    recipients: report.recipients.map(
      (recipient): BounceRecipient => ({
        ...recipient,
        finalRecipient: undefined,
        originalRecipient: undefined,
        diagnostic: undefined,
        smtpReply: undefined,
        remoteMta: undefined,
      }),
    ),
  };
  return new Set(written(bare, to, alias, "none").octets.toString().split("\r\n"));
}

/** The address, its local part, the destination's hosts, as far as they are not the alias's own words. */
function secretWords({ perMessage, reported, truth }: Sample, alias: Mailbox | undefined): string[] {
  const hosts = [perMessage, ...reported].flatMap((fields) =>
    ["Reporting-MTA", "Remote-MTA"].map((name) => (fields[name] ?? "").replace(/^\w+; ?/, "")),
  );
  const words = truth.flatMap(({ privateRecipient }) => {
    const [localPart = "", domain = ""] = privateRecipient.split("@");
    return [privateRecipient, localPart, domain];
  });
  return [...hosts, ...words].filter(
    (word) => word.length > 2 && word !== alias?.localPart && word !== alias?.domain,
  );
}

function assertSilent(sample: Sample, alias: Mailbox | undefined): void {
  const report = readBounce(readFileSync(join(FOLDER, sample.file)));
  const to = mailbox(sample.unwrapsTo);
  const fixed = fixedLines(report, to, alias);
  for (const policy of POLICIES) {
    const text = written(report, to, alias, policy).octets.toString();
    const remote = text.split("\r\n").filter((line) => !fixed.has(line));
    const known = [to, ...(alias ? [alias] : [])].map(renderMailbox);
    assert.deepEqual(leaksIn(remote.join("\r\n"), secretWords(sample, alias), known), [], text);
  }
}

test("there are 57 samples", () => assert.equal(samples.length, 57));

for (const sample of samples) {
  const known = sample.truth[0]?.senderKnows;
  const alias = known ? mailbox(known) : ALIAS;
  test(`${sample.file}: the sender gets a DSN about the alias, with nothing of the private address`, () => {
    assertSilent(sample, alias);
    assertSilent(sample, undefined);
    const report = readBounce(readFileSync(join(FOLDER, sample.file)));
    const { octets, action, enhanced } = written(report, mailbox(sample.unwrapsTo), alias, "code");
    const final = `\r\n\r\nFinal-Recipient: rfc822; ${renderMailbox(alias)}\r\nAction: ${action}\r\nStatus: ${enhanced}\r\n`;
    assert.ok(octets.includes(final), octets.toString());
    const outcomes = sample.truth.map(({ outcome }) => outcome);
    assert.equal(action === "failed", outcomes.includes("failed"));
    assert.equal(action === "delayed", outcomes.includes("delayed"));
    const codes = sample.truth.map(({ remoteEnhanced }) => remoteEnhanced ?? "");
    if (outcomes[0] === "failed" && codes[0])
      assert.ok(codes.includes(enhanced), `${enhanced}, not ${codes}`);
  });
}

test("where alias and private address share the local part, the host does not show", () => {
  const sample = samples.find(({ file }) => file === "postfix-rcpt550.eml");
  assert.ok(sample);
  const alias = mailbox("nouser@forwarder.example");
  assert.deepEqual(secretWords(sample, alias).sort(), [
    "dest.example",
    "mta.relay.example",
    "mx.dest.example",
    "nouser@dest.example",
  ]);
  assertSilent(sample, alias);
});

test("with the alias, the sender sees which message it was", () => {
  const report = readBounce(readFileSync(join(FOLDER, "postfix-rcpt550.eml")));
  const { octets } = written(
    report,
    mailbox("alice@sender.example"),
    mailbox("shop@fwd.example.net"),
    "redacted",
  );
  const [, returned] = octets.toString().split("text/rfc822-headers\r\n\r\n");
  assert.equal(
    returned,
    [
      "Message-ID: <rcpt550.lab@sender.example>",
      "Date: Fri, 20 Nov 2026 20:00:00 +0000",
      "Subject: lab case rcpt550",
      "From: Alice <alice@sender.example>",
      "To: Shop <shop@fwd.example.net>",
      "",
      "--=_0123abcd--",
      "",
    ].join("\r\n"),
  );
  assert.match(
    octets.toString(),
    /\r\nDiagnostic-Code: smtp; 550 5\.1\.1 \[\.\.\.\] Recipient address rejected User unknown in virtual mailbox table\r\n/,
  );
});
