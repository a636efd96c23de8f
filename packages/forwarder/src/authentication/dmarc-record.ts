// Has a domain a DMARC record, its own or one above it? Asked at RCPT, before there is a header From: then a signature may
// count, and the message is looked at first. Called by sender-check.ts. RFC 7489 §6.1, §6.6.3.
import type { DnsLookup } from "@homing/spf";

/** A name has 127 labels at most; records stand near the top. */
const MAX_LABELS = 8;
const RECORD = /^v[ \t]*=[ \t]*DMARC1[ \t]*(?:;|$)/;

/**
 * Every domain above is looked at, too, down to two labels: a list of public suffixes would leave some of them out, and what
 * stands there by chance costs no more than the reading of one message. Where DNS does not say, there may be one.
 */
export async function hasDmarcRecord(txt: DnsLookup<string>, domain: string): Promise<boolean> {
  const labels = domain.split(".");
  const names = labels.slice(0, -1).map((_, at) => labels.slice(at).join("."));
  // At once: a client waits.
  const asked = [...names.slice(0, 1), ...names.slice(1).slice(-MAX_LABELS)];
  const answers = await Promise.all(asked.map((name) => txt(`_dmarc.${name}`)));
  return answers.some(
    (answer) =>
      answer.kind === "failed" ||
      (answer.kind === "records" && answer.records.some((text) => RECORD.test(text))),
  );
}
