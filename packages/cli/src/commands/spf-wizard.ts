// `homing spf wizard`: the SPF records that a domain and its hosts should publish, from flags or from questions at a terminal.
// Nothing is sent anywhere, and DNS is asked only where --dns says so.
import process from "node:process";
import { createInterface } from "node:readline";
import {
  type ComposedRecords,
  composeRecords,
  type LintReport,
  lintSpf,
  renderZoneLine,
  type Senders,
} from "@homing/spf";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { askSenders } from "../spf/ask-senders.ts";
import { domainName } from "../spf/domain-option.ts";
import { findingLine, sumLine } from "../spf/lint-words.ts";
import { type SenderOptions, sendersOf } from "../spf/senders.ts";
import { systemDns } from "../system-dns.ts";

export interface SpfWizardOptions extends SenderOptions {
  readonly dns?: readonly string[];
  readonly json?: true;
}

export async function spfWizard(options: SpfWizardOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const senders = await sendersFor(options);
  const records = composeRecords(senders);
  const report = await linted(records, options.dns);
  if (output.json) output.document(document(records, report));
  else {
    print(output, records, report);
    if (senders.mx && options.dns === undefined) output.talk(MX_HOSTS);
  }
  return report.findings.some(({ severity }) => severity === "error") ? EXIT.negative : EXIT.ok;
}

async function sendersFor(options: SpfWizardOptions): Promise<Senders> {
  const { domain, json } = options;
  const { mx, a, ip4, ip6, include, nobody } = options;
  const hasFlags = [mx, a, ip4, ip6, include, nobody].some((flag) => flag !== undefined);
  const canAsk = process.stdin.isTTY === true && !json;
  if (!hasFlags && canAsk)
    return askAtTerminal(domain === undefined ? undefined : domainName("--domain", domain));
  if (domain !== undefined) return sendersOf({ ...options, domain });
  throw new CommandFailure(
    "usage",
    "which domain? Name it with --domain D (at a terminal, without options, it asks)",
  );
}

async function askAtTerminal(domain: string | undefined): Promise<Senders> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  // It keeps lines that were typed ahead, or pasted.
  const lines = terminal[Symbol.asyncIterator]();
  let open = true;
  terminal.once("close", () => {
    open = false;
  });
  const dialogue = {
    async ask(question: string): Promise<string | undefined> {
      terminal.setPrompt(question);
      if (open) terminal.prompt();
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    say: (line: string) => void process.stderr.write(`  ${line}\n`),
  };
  try {
    return await askSenders(dialogue, domain);
  } finally {
    terminal.close();
  }
}

async function linted(
  { domain }: ComposedRecords,
  servers: readonly string[] | undefined,
): Promise<LintReport> {
  const question = { domain: domain.name, record: domain.record };
  if (servers === undefined) return lintSpf(question);
  const dns = systemDns(dnsServersOption(servers));
  try {
    return await lintSpf(question, dns);
  } finally {
    dns.close();
  }
}

function print(output: Output, { domain, hosts, later }: ComposedRecords, report: LintReport): void {
  const all = [domain, ...hosts];
  output.talk("For the zone file:");
  for (const { name, record } of all) output.data(renderZoneLine(name, record));
  output.talk("For a form of a DNS provider, as TXT records:");
  for (const { name, record } of all) output.talk(`  ${name}  ${record}`);
  for (const line of later === undefined ? [] : stagingLines(domain.name, later)) output.talk(line);
  output.talk(sumLine(report));
  for (const finding of report.findings) output.talk(findingLine(finding, report.domain));
}

const MX_HOSTS =
  'Each MX host needs a record of its own, too: "v=spf1 a -all" (with --dns system, those without one are told)';

function stagingLines(name: string, later: string): readonly string[] {
  return [
    "Publish ~all first: receivers mark what comes from elsewhere, and refuse nothing. For two weeks, look at",
    "DMARC reports and at what comes back: is any of it your own? When none is, publish:",
    `  ${name}  ${later}`,
  ];
}

function document({ domain, hosts, later }: ComposedRecords, report: LintReport): object {
  const records = [domain, ...hosts].map(({ name, record }) => ({
    name,
    record,
    zone: renderZoneLine(name, record),
  }));
  const { lookups, findings } = report;
  const ok = !findings.some(({ severity }) => severity === "error");
  return { ok, records, later: later ?? null, lookups, findings };
}
