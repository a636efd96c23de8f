// `homing spf wizard`: the SPF records that a domain and its hosts should publish, from flags or from questions at a terminal.
// Nothing is sent anywhere, and DNS is asked only where --dns says so.
import process from "node:process";
import { createInterface } from "node:readline";
import {
  type Changes,
  type ComposedRecords,
  changesInDns,
  composeRecords,
  inOrder,
  type LintReport,
  lintSpf,
  renderZoneLine,
  type Senders,
} from "@homing/spf/records";
import { dnsServersOption } from "../dns-option.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput, type Output } from "../output.ts";
import { askSenders } from "../spf/ask-senders.ts";
import { domainName } from "../spf/domain-option.ts";
import { findingLine, sumLine } from "../spf/lint-words.ts";
import { type SenderOptions, sendersOf } from "../spf/senders.ts";
import { systemDns } from "../system-dns.ts";
import { safe } from "../terminal-text.ts";

/** A record is shown whole while it fits into one DNS answer. */
const MAX_RECORD = 512;

export interface SpfWizardOptions extends SenderOptions {
  readonly dns?: readonly string[];
  readonly json?: true;
}

export async function spfWizard(options: SpfWizardOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const senders = await sendersFor(options);
  const records = composeRecords(senders);
  const looked = await look(records, options.dns);
  const code = exitOf(looked);
  if (output.json) output.document({ ok: code === EXIT.ok, ...document(records, looked) });
  else {
    print(output, records, looked);
    for (const line of options.dns === undefined ? notAsked(senders) : []) output.talk(line);
  }
  return code;
}

/** What a linter has not seen is not checked. */
function exitOf({ report: { findings } }: Looked): number {
  if (findings.some(({ severity }) => severity === "error")) return EXIT.negative;
  return findings.some(({ name }) => name === "dns-failed") ? EXIT.temporary : EXIT.ok;
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

interface Looked {
  readonly report: LintReport;
  readonly changes: Changes;
}

async function look(records: ComposedRecords, servers: readonly string[] | undefined): Promise<Looked> {
  const { name, record } = records.domain;
  const question = { domain: name, record };
  if (servers === undefined) return { report: await lintSpf(question), changes: await changesInDns(records) };
  const dns = systemDns(dnsServersOption(servers));
  try {
    const [report, changes] = await Promise.all([lintSpf(question, dns), changesInDns(records, dns)]);
    return { report: { ...report, findings: inOrder([...report.findings, ...changes.findings]) }, changes };
  } finally {
    dns.close();
  }
}

function print(output: Output, { domain, later }: ComposedRecords, { report, changes }: Looked): void {
  const { publish, kept } = changes;
  if (publish.length > 0) output.talk("For the zone file:");
  for (const { name, record } of publish) output.data(renderZoneLine(name, record));
  if (publish.length > 0) output.talk("For a form of a DNS provider, as TXT records:");
  for (const { name, record } of publish) output.talk(`  ${name}  ${record}`);
  for (const line of publish.flatMap(replaceLines)) output.talk(line);
  for (const { name, record } of kept)
    output.talk(`${name} has its record, and keeps it: ${safe(record, MAX_RECORD)}`);
  for (const line of later === undefined ? [] : stagingLines(domain.name, later)) output.talk(line);
  output.talk(sumLine(report));
  for (const finding of report.findings) output.talk(findingLine(finding, report.domain));
}

/** With both, receivers answer permerror. */
function replaceLines({ name, replaces }: Changes["publish"][number]): readonly string[] {
  return replaces.map((record) => `In place of what ${name} has now: ${safe(record, MAX_RECORD)}`);
}

function notAsked({ mx }: Senders): readonly string[] {
  return [
    "DNS was not asked: where a name has a TXT record that begins with v=spf1, put the new one in its place, since " +
      "two are an error (with --dns system, those that are there are told)",
    ...(mx ? ['Each MX host needs a record of its own, too: "v=spf1 a -all"'] : []),
  ];
}

function stagingLines(name: string, later: string): readonly string[] {
  return [
    "Publish ~all first: receivers mark what comes from elsewhere, and refuse nothing. For two weeks, look at",
    "DMARC reports and at what comes back: is any of it your own? When none is, publish:",
    `  ${name}  ${later}`,
  ];
}

function document({ later }: ComposedRecords, { report, changes }: Looked): object {
  const { lookups, findings } = report;
  const records = changes.publish.map(({ name, record, replaces }) => ({
    name,
    record,
    zone: renderZoneLine(name, record),
    replaces,
  }));
  return { records, kept: changes.kept, later: later ?? null, lookups, findings };
}
