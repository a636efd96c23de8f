// What is asked of DNS beyond the look-ups of the record itself: the text behind `exp=`, and records of the hosts that send.
// Called by lint.ts.
import { isSpfRecord } from "../parse-record.ts";
import { printable } from "../printable.ts";
import type { SpfResolver } from "../resolver.ts";
import type { Finding } from "./finding.ts";
import type { RecordNode, RecordOutcome } from "./look-up-tree.ts";
import { columnFinder } from "./read-terms.ts";
import { staticName } from "./static-name.ts";

type ReadRecord = Extract<RecordOutcome, { kind: "record" }>;

/** Each is a question to DNS. */
const MAX_HOSTS = 20;

/** RFC 7208 §6.2: an explanation that is not there is left out. */
export async function explanationFindings(
  domain: string,
  { record, text }: ReadRecord,
  resolver: SpfResolver,
): Promise<readonly Finding[]> {
  const { exp } = record;
  if (exp === undefined) return [];
  const name = staticName(exp.value, domain, domain);
  if (name.kind === "varies") return [];
  const answer = await resolver.txt(name.name);
  if (answer.kind === "failed") return [];
  const count = answer.kind === "records" ? answer.records.length : 0;
  if (count === 1) return [];
  const column = columnFinder(text)(exp.text);
  const message = `${printable(name.name)} has ${count === 0 ? "no" : count} TXT records: receivers show no explanation`;
  const fix = count === 0 ? "publish one there, or take exp= out" : "keep one of them";
  return [
    {
      severity: "warning",
      name: "no-explanation",
      domain,
      term: printable(exp.text),
      ...(column !== undefined && { column }),
      message,
      fix,
    },
  ];
}

/** §10.1.3: what a host calls itself in HELO is checked, too, and decides for mail with the null sender. */
export async function hostRecordFindings(
  root: RecordNode,
  outcome: ReadRecord,
  resolver: SpfResolver,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (const host of ownHosts(root.domain, outcome)) {
    const answer = await resolver.txt(host);
    const texts = answer.kind === "records" ? answer.records : [];
    if (answer.kind === "failed" || texts.some(isSpfRecord)) continue;
    const shown = printable(host);
    const message = `the host ${shown} has no record of its own: its HELO name, and mail with the null sender, do not pass`;
    const fix = `publish: ${shown}. IN TXT "v=spf1 a -all"`;
    findings.push({ severity: "hint", name: "host-without-record", domain: root.domain, message, fix });
  }
  return findings;
}

/** Below the domain: others' hosts have others' records. */
function ownHosts(domain: string, { terms }: ReadRecord): readonly string[] {
  const names = terms.flatMap(({ mechanism, found }) =>
    (mechanism?.name === "a" || mechanism?.name === "mx") && found.kind === "hosts"
      ? found.hosts.filter(({ addresses }) => addresses.length > 0).map(({ name }) => name)
      : [],
  );
  return [...new Set(names)].filter((name) => name.endsWith(`.${domain}`)).slice(0, MAX_HOSTS);
}
