// What one record shows by itself: its end, its order, its modifiers, ptr. Called by lint.ts for each record of the tree. Of
// records that are included only what makes the including one wrong or worthless is told: their owner has a linter, too.
import { printable } from "../printable.ts";
import type { Modifier } from "../record.ts";
import type { Finding } from "./finding.ts";
import { fixedTerm } from "./fix-term.ts";
import type { RecordNode, RecordOutcome, TermNode } from "./look-up-tree.ts";
import { networkFindings } from "./network-findings.ts";
import { columnFinder } from "./read-terms.ts";

type ReadRecord = Extract<RecordOutcome, { kind: "record" }>;

export function recordFindings(node: RecordNode, outcome: ReadRecord): readonly Finding[] {
  const { domain } = node;
  const included = node.role === "included";
  const reached = outcome.terms.filter(({ found }) => found.kind !== "never-reached");
  const faults = outcome.faults.map(
    ({ term, column, problem, fix }): Finding => ({
      severity: "error",
      name: "syntax",
      domain,
      term,
      column,
      message: problem,
      fix,
    }),
  );
  const networks = networkFindings(reached, included).map(({ at, ...rest }) => ({
    ...rest,
    ...place(domain, at),
  }));
  const open = reached.flatMap((at) => everybody(domain, at));
  const ptr = reached.flatMap((at) => ptrFindings(domain, at, included));
  if (included) return [...faults, ...open, ...networks, ...ptr];
  return [
    ...faults,
    ...open,
    ...networks,
    ...endFindings(domain, outcome),
    ...ptr,
    ...outcome.record.unknown.map((modifier) => unknownModifier(domain, outcome.text, modifier)),
  ];
}

export function place(
  domain: string,
  { term, column }: TermNode,
): Pick<Finding, "domain" | "term" | "column"> {
  return { domain, term: printable(term), ...(column !== undefined && { column }) };
}

function everybody(domain: string, at: TermNode): Finding[] {
  if (at.mechanism?.name !== "all" || at.mechanism.qualifier !== "+") return [];
  const message = "every client in the world passes, spammers first";
  const fix = "write -all, or ~all for a start";
  return [{ severity: "error", name: "passes-everybody", ...place(domain, at), message, fix }];
}

function ptrFindings(domain: string, at: TermNode, included: boolean): Finding[] {
  if (at.mechanism?.name !== "ptr") return [];
  const message = "slow, and many receivers skip it: RFC 7208 §5.5 says not to use ptr";
  const fix = "name the addresses with ip4 and ip6";
  return [{ severity: included ? "hint" : "warning", name: "ptr", ...place(domain, at), message, fix }];
}

/** `all`, `redirect`, and what stands behind. */
function endFindings(domain: string, { terms, record }: ReadRecord): Finding[] {
  const all = terms.find(({ mechanism }) => mechanism?.name === "all");
  const findings: Finding[] = [];
  if (all === undefined && record.redirect === undefined) {
    const message = "no all at the end: whoever is not named gets neutral, as if there were no record";
    findings.push({
      severity: "warning",
      name: "no-all",
      domain,
      message,
      fix: "end it with ~all, later with -all",
    });
  }
  if (all?.mechanism?.qualifier === "?") {
    const message = "whoever is not named gets neutral, as if there were no record";
    const fix = "write ~all, later -all";
    findings.push({ severity: "warning", name: "neutral-all", ...place(domain, all), message, fix });
  }
  for (const at of terms.filter(({ found }) => found.kind === "never-reached")) {
    findings.push(at.mechanism === undefined ? redirectIgnored(domain, at) : behindAll(domain, at, all));
  }
  return findings;
}

function behindAll(domain: string, at: TermNode, all: TermNode | undefined): Finding {
  const message = `nobody looks at it: it stands behind ${all?.term ?? "all"}`;
  const fix = `put it in front of ${all?.term ?? "all"}`;
  return { severity: "warning", name: "behind-all", ...place(domain, at), message, fix };
}

function redirectIgnored(domain: string, at: TermNode): Finding {
  const message = "nobody looks at it: a record with all ignores redirect (RFC 7208 §6.1)";
  return {
    severity: "warning",
    name: "redirect-ignored",
    ...place(domain, at),
    message,
    fix: "keep all or redirect",
  };
}

function unknownModifier(domain: string, text: string, { name, text: term }: Modifier): Finding {
  const column = columnFinder(text)(term);
  const about = { domain, term: printable(term), ...(column !== undefined && { column }) };
  const meant = fixedTerm(term);
  const message =
    name === "v" ? "two records have become one" : "nobody knows this modifier: receivers leave it out";
  const fix =
    name === "v"
      ? "take the second v=spf1 out, and look at the all in front of it"
      : meant === undefined
        ? "take it out"
        : `write ${printable(meant)}`;
  return { severity: "warning", name: "unknown-modifier", ...about, message, fix };
}
