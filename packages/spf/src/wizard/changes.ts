// What there is to do in DNS for composed records. A record beside another one is permerror (RFC 7208 §4.5), so what is
// published now makes room, or stays. Called by `homing spf wizard`.
import type { Finding } from "../lint/finding.ts";
import { isSpfRecord } from "../parse-record.ts";
import { printable } from "../printable.ts";
import type { SpfResolver } from "../resolver.ts";
import type { ComposedRecord, ComposedRecords } from "./compose-record.ts";

export interface Change extends ComposedRecord {
  /** SPF records of this name that DNS has now. */
  readonly replaces: readonly string[];
}

export interface Changes {
  readonly publish: readonly Change[];
  /** As DNS has them. */
  readonly kept: readonly ComposedRecord[];
  /** Of names about which DNS did not answer. */
  readonly findings: readonly Finding[];
}

/** @param resolver none: nothing is known of what is published */
export async function changesInDns(
  { domain, hosts }: ComposedRecords,
  resolver?: Pick<SpfResolver, "txt">,
): Promise<Changes> {
  const changes: Change[] = [];
  const kept: ComposedRecord[] = [];
  const findings: Finding[] = [];
  for (const wanted of [domain, ...hosts]) {
    const answer = (await resolver?.txt(wanted.name)) ?? { kind: "no-such-name" };
    if (answer.kind === "failed") findings.push(unknown(wanted.name, answer.cause));
    const replaces = answer.kind === "records" ? answer.records.filter(isSpfRecord) : [];
    const [only, ...more] = replaces;
    // A host of yours may send for others, too: whoever wrote its record knew that.
    const stays = only === wanted.record || wanted !== domain;
    if (only !== undefined && more.length === 0 && stays) kept.push({ name: wanted.name, record: only });
    else changes.push({ ...wanted, replaces });
  }
  return { publish: changes, kept, findings };
}

function unknown(domain: string, cause: string): Finding {
  const message = `DNS did not answer (${printable(cause)}): nobody knows whether it has a record already`;
  const fix = "ask again when DNS answers";
  return { severity: "warning", name: "dns-failed", domain, message, fix };
}
