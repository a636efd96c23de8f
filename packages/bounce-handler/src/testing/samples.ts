// The real bounces of testdata/dsn with the truth about each, and what of them the original sender must not see. Called by tests.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { domainToUnicode } from "node:url";
import { type Mailbox, parseMailbox, renderMailbox } from "@homing/srs-core";
import { readBounce } from "../read/reader.ts";
import type { BounceRecipient, BounceReport } from "../read/report.ts";
import { type ReissueOptions, reissue } from "../reissue/reissue.ts";
import { leaksIn } from "./leaks.ts";

const FOLDER = join(import.meta.dirname, "../../testdata/dsn");

export interface Sample {
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

export const { samples } = JSON.parse(readFileSync(join(FOLDER, "expected.json"), "utf8")) as {
  samples: readonly Sample[];
};

export function samplePath({ file }: Sample): string {
  return join(FOLDER, file);
}

export function sampleOctets(sample: Sample): Buffer {
  return readFileSync(samplePath(sample));
}

export function mailbox(text: string): Mailbox {
  const parsed = parseMailbox(text);
  assert.ok(parsed.ok, text);
  return parsed.mailbox;
}

/** The address, its local part, the destination's hosts, as far as they are not the alias's own words. */
export function secretWords({ perMessage, reported, truth }: Sample, alias: Mailbox | undefined): string[] {
  const hosts = [perMessage, ...reported].flatMap((fields) =>
    ["Reporting-MTA", "Remote-MTA"].map((name) => (fields[name] ?? "").replace(/^\w+; ?/, "")),
  );
  const words = truth.flatMap(({ privateRecipient }) => {
    const [localPart = "", domain = ""] = privateRecipient.split("@");
    return [privateRecipient, localPart, domain, domainToUnicode(domain)];
  });
  return [...new Set([...hosts, ...words])].filter(
    (word) => word !== "" && word !== alias?.localPart && word !== alias?.domain,
  );
}

/** What of the secrets can be read in a DSN, other than in the addresses that the sender knows and in our fixed text. */
export function leaksInDsn(
  dsn: string,
  sample: Sample,
  options: Omit<ReissueOptions, "report" | "diagnostic">,
): readonly string[] {
  const { to, alias } = options;
  const fixed = fixedLines(readBounce(sampleOctets(sample)), options);
  const remote = dsn.split("\r\n").filter((line) => !fixed.has(line));
  const known = [to, ...(alias ? [alias] : [])].map(renderMailbox);
  return leaksIn(remote.join("\r\n"), secretWords(sample, alias), known);
}

/** Lines that are there for any report with these codes. */
function fixedLines(
  report: BounceReport,
  options: Omit<ReissueOptions, "report" | "diagnostic">,
): ReadonlySet<string> {
  const bare: BounceReport = {
    ...report,
    reportingMta: undefined,
    originalEnvelopeId: undefined,
    arrivalDate: undefined,
    returned: undefined,
    named: [],
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
  const reissued = reissue({ ...options, report: bare, diagnostic: "none" });
  assert.equal(reissued.kind, "dsn");
  return new Set(reissued.octets.toString().split("\r\n"));
}
