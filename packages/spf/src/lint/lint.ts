// Lints the SPF record of a domain, or a text that shall become one: what it costs its receivers, and what is wrong with it.
// Called by `homing spf lint` and `homing spf wizard`. Pure: DNS is an argument.
import { isSpfRecord } from "../parse-record.ts";
import { printable } from "../printable.ts";
import type { SpfResolver } from "../resolver.ts";
import { MAX_ASKED_TERMS } from "./ask-hosts.ts";
import { explanationFindings, hostRecordFindings } from "./asked-findings.ts";
import { type Finding, inOrder } from "./finding.ts";
import { type AtLeast, atLeast, everyRecord, type RecordNode, totals, type Voids } from "./look-up-tree.ts";
import { recordFindings } from "./record-findings.ts";
import { sizeFindings } from "./size-findings.ts";
import { limitFindings, termFindings } from "./tree-findings.ts";
import { MAX_RECORDS, type Walk, walkDomain, walkText } from "./walk-record.ts";

export interface LintQuestion {
  /** In A-labels and lower case; with `record`, where it will be published, and "" where that is not known. */
  readonly domain: string;
  /** In place of the one in DNS. */
  readonly record?: string;
}

export interface LintReport {
  readonly domain: string;
  readonly tree: RecordNode;
  /** Of a client that nothing matches: the most that a receiver asks. */
  readonly lookups: number;
  readonly voidLookups: Voids;
  /** Not all was looked at: the numbers may be higher. */
  readonly atLeast: AtLeast;
  /** Errors first. */
  readonly findings: readonly Finding[];
}

/** @param resolver none: only what the text itself shows is told */
export async function lintSpf(question: LintQuestion, resolver?: SpfResolver): Promise<LintReport> {
  const { domain, record } = question;
  const walk: Walk = {
    sender: domain,
    budget: { records: MAX_RECORDS, terms: MAX_ASKED_TERMS },
    ...(resolver && { resolver }),
  };
  const place = { domain, depth: 0, role: "own", above: [] } as const;
  const tree = await (record === undefined ? walkDomain(place, walk) : textNode(record, place, walk));
  const { lookups, voids } = totals(tree);
  const findings = [...rootFindings(tree), ...limitFindings(tree), ...treeFindings(tree)];
  const asked = await askedFindings(tree, record, resolver);
  return {
    domain,
    tree,
    lookups,
    voidLookups: voids,
    atLeast: atLeast(tree),
    findings: inOrder([...findings, ...asked]),
  };
}

async function textNode(
  text: string,
  place: Parameters<typeof walkText>[1],
  walk: Walk,
): Promise<RecordNode> {
  if (isSpfRecord(text)) return walkText(text, place, walk);
  return { ...place, outcome: { kind: "none", almost: [text] } };
}

function treeFindings(tree: RecordNode): readonly Finding[] {
  const ofRecords = [...everyRecord(tree)].flatMap((node) =>
    node.outcome.kind === "record" ? recordFindings(node, node.outcome) : [],
  );
  return [...ofRecords, ...termFindings(tree)];
}

/** Why there is no record to look at. */
function rootFindings({ domain, outcome }: RecordNode): readonly Finding[] {
  const error = (name: Finding["name"], message: string, fix: string): Finding => ({
    severity: "error",
    name,
    domain,
    message,
    fix,
  });
  const make = `make one with homing spf wizard --domain ${domain}`;
  switch (outcome.kind) {
    case "no-such-name":
      return [error("no-record", "there is no such name in DNS", "correct the name")];
    case "none":
      // Whoever mends that text must not publish another one beside it.
      if (outcome.almost.length > 0)
        return outcome.almost.map((text) => error("almost-a-record", ...almostWords(text)));
      return [error("no-record", "the domain has no SPF record: anybody may send in its name", make)];
    case "several": {
      const message = `${outcome.texts.length} SPF records: receivers answer permerror (RFC 7208 §4.5)`;
      const shown = outcome.texts.map((text) => `"${printable(text, 60)}"`).join(", ");
      return [error("several-records", message, `make one of them: ${shown}`)];
    }
    case "failed": {
      const message = `DNS did not answer (${outcome.cause}): nothing can be told`;
      return [error("dns-failed", message, "ask again when DNS answers")];
    }
    default:
      return [];
  }
}

function almostWords(text: string): [message: string, fix: string] {
  const shown = printable(text);
  const bare = text.replace(/["'\\]/g, "").trim();
  if (bare !== text.trim() && isSpfRecord(bare)) {
    const message = `${shown} has quotes in the text itself: receivers see no SPF record`;
    return [message, "take them out"];
  }
  const message = `"${shown}" is no SPF record: those begin with v=spf1 and a space`;
  return [message, "write v=spf1, a space, and the terms behind it"];
}

async function askedFindings(
  tree: RecordNode,
  given: string | undefined,
  resolver: SpfResolver | undefined,
): Promise<readonly Finding[]> {
  if (tree.outcome.kind !== "record") return [];
  const { domain, outcome } = tree;
  if (domain === "" || resolver === undefined) return sizeFindings(domain, outcome.text, [outcome.text]);
  const answer = await resolver.txt(domain);
  const others = answer.kind === "records" ? answer.records.filter((text) => !isSpfRecord(text)) : [];
  const texts = given === undefined && answer.kind === "records" ? answer.records : [outcome.text, ...others];
  return [
    ...sizeFindings(domain, outcome.text, texts),
    ...(await explanationFindings(domain, outcome, resolver)),
    ...(await hostRecordFindings(tree, outcome, resolver)),
  ];
}
