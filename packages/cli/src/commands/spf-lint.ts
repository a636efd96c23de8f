// `homing spf lint`: what an SPF record costs those who look at it, and what is wrong with it.
import { isSpfRecord } from "@homing/spf";
import { type Finding, LINT_LIMITS, type LintReport, lintSpf, type RecordNode } from "@homing/spf/records";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput } from "../output.ts";
import { domainName } from "../spf/domain-option.ts";
import { findingLine, sumLine, treeLines } from "../spf/lint-words.ts";
import { systemDns } from "../system-dns.ts";

export interface SpfLintOptions {
  readonly record?: string;
  readonly domain?: string;
  readonly dns?: readonly string[];
  readonly json?: true;
}

/** Returns the exit code: 1 where something is an error, 75 where DNS did not answer for the domain itself. */
export async function lintSpfOf(domain: string | undefined, options: SpfLintOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const report = await lint(domain, options);
  if (output.json) output.document(lintDocument(report));
  else {
    for (const line of treeLines(report.tree)) output.data(line);
    output.data(sumLine(report));
    for (const finding of report.findings) output.data(findingLine(finding, report.domain));
    if (report.findings.length === 0) output.data(nothingToMend(report));
  }
  return exitOf(report);
}

async function lint(argument: string | undefined, options: SpfLintOptions): Promise<LintReport> {
  const { record, dns: servers = [] } = options;
  const domain = domainOf(argument, options);
  const dns = systemDns(dnsServersOption(servers));
  try {
    return await lintSpf({ domain, ...(record !== undefined && { record: withVersion(record) }) }, dns);
  } finally {
    dns.close();
  }
}

function domainOf(argument: string | undefined, { record, domain }: SpfLintOptions): string {
  if (argument !== undefined && domain !== undefined) {
    throw new CommandFailure("usage", "DOMAIN and --domain: both name the domain: keep one");
  }
  const name = argument ?? domain;
  if (name !== undefined) return domainName(argument === undefined ? "--domain" : "DOMAIN", name);
  if (record !== undefined) return "";
  throw new CommandFailure(
    "usage",
    "lint what? Name a DOMAIN, or give the text of a record with --record TEXT",
  );
}

function nothingToMend({ atLeast }: LintReport): string {
  return atLeast.voidLookups ? "nothing to mend in what was looked at" : "nothing to mend";
}

/** As it is copied from a zone file: with blanks around. */
function withVersion(record: string): string {
  const text = record.trim();
  return isSpfRecord(text) ? text : record;
}

export function exitOf({ tree, findings }: LintReport): number {
  if (tree.outcome.kind === "failed") return EXIT.temporary;
  return findings.some(({ severity }) => severity === "error") ? EXIT.negative : EXIT.ok;
}

export function lintDocument(report: LintReport): object {
  const { domain, tree, lookups, voidLookups, atLeast, findings } = report;
  return {
    ok: !findings.some(({ severity }) => severity === "error"),
    domain,
    record: tree.outcome.kind === "record" ? tree.outcome.text : null,
    lookups,
    voidLookups,
    atLeast,
    limits: LINT_LIMITS,
    findings: findings.map((finding): Finding => finding),
    tree: treeDocument(tree),
  };
}

/** Depth is bounded by the linter. */
function treeDocument({ domain, outcome }: RecordNode): object {
  if (outcome.kind !== "record") return { domain, outcome: outcome.kind };
  const terms = outcome.terms.map(({ term, lookups, found }) => ({
    term,
    lookups,
    ...(found.kind === "hosts" && { hosts: found.hosts }),
    ...(found.kind === "varies" && { varies: found.macro }),
    ...(found.kind === "never-reached" && { reached: false }),
    ...(found.kind === "record" && { below: treeDocument(found.node) }),
  }));
  return { domain, outcome: outcome.kind, record: outcome.text, terms };
}
