// A lint report for a person: the look-ups as a tree, their sum, and the findings. Called by `homing spf lint` and
// `homing spf wizard`.
import {
  type AtLeast,
  type Finding,
  type Host,
  LINT_LIMITS,
  type LintReport,
  type RecordNode,
  type Severity,
  type TermFound,
  type TermNode,
  type Voids,
} from "@homing/spf/records";
import { paint, type Style } from "../output.ts";
import { safe } from "../terminal-text.ts";

/** Under the term that leads there. */
const INDENT = "     ";
/** A record is shown whole while it fits into one DNS answer. */
const MAX_RECORD = 512;
const MAX_TERM = 100;
const MAX_HOSTS = 4;

/** Depth is bounded by the linter: it follows some forty records. */
export function treeLines({ domain, outcome }: RecordNode): string[] {
  const name = paint("bold", domain === "" ? "(a record without a domain)" : safe(domain));
  if (outcome.kind !== "record") return [`${name}  ${missing(outcome)}`];
  return [`${name}  ${safe(outcome.text, MAX_RECORD)}`, ...outcome.terms.flatMap(termLines)];
}

function termLines({ term, lookups, found }: TermNode): string[] {
  const cost = lookups === 0 ? "" : String(lookups);
  const words = foundWords(found);
  const line = `${cost.padStart(3)}  ${safe(term, MAX_TERM)}${words === "" ? "" : `  ${paint("dim", words)}`}`;
  if (found.kind !== "record") return [line];
  return [line, ...treeLines(found.node).map((below) => `${INDENT}${below}`)];
}

function missing(outcome: Exclude<RecordNode["outcome"], { kind: "record" }>): string {
  switch (outcome.kind) {
    case "no-such-name":
      return "there is no such name";
    case "none":
      return "no SPF record";
    case "several":
      return `${outcome.texts.length} SPF records`;
    case "failed":
      return "DNS did not answer";
    case "loop":
      return "again: this goes round";
    case "not-followed":
      return `not looked at: ${outcome.why}`;
  }
}

function foundWords(found: TermFound): string {
  switch (found.kind) {
    case "hosts":
      return hostWords(found.hosts);
    case "varies":
      return `${found.macro} differs for each message`;
    case "failed":
      return "DNS did not answer";
    case "never-reached":
      return "nobody looks at it";
    case "not-asked":
      return `not asked for: ${found.why}`;
    case "nothing-to-ask":
    case "record":
      return "";
  }
}

function hostWords(hosts: readonly Host[]): string {
  if (hosts.length === 0) return "nothing there";
  const shown = hosts.slice(0, MAX_HOSTS).map(({ name, addresses, failed }) => {
    const what =
      failed === undefined ? addresses.map((address) => safe(address)).join(" ") : "DNS did not answer";
    return `${safe(name)} ${what === "" ? "has no address" : what}`;
  });
  return [...shown, ...(hosts.length > MAX_HOSTS ? [`${hosts.length - MAX_HOSTS} more`] : [])].join(", ");
}

export function sumLine({ lookups, voidLookups, atLeast }: LintReport): string {
  const number = atLeast.lookups ? `at least ${lookups}` : `${lookups}`;
  return `look-ups ${number} (limit ${LINT_LIMITS.lookups}); that find nothing: ${voidWords(voidLookups, atLeast)}`;
}

function voidWords({ ip4, ip6 }: Voids, { voidLookups: isLeast }: AtLeast): string {
  if (isLeast && ip4 + ip6 === 0) return "not known";
  const first = `${isLeast ? "at least " : ""}${ip4} (limit ${LINT_LIMITS.voidLookups})`;
  return ip4 === ip6 ? first : `${first} for IPv4 clients, ${ip6} for IPv6 clients`;
}

/** @param about the domain whose findings need no name in front */
export function findingLine(
  { severity, domain, term, column, message, fix }: Finding,
  about: string,
): string {
  const where = [
    ...(domain === about ? [] : [safe(domain)]),
    ...(term === undefined
      ? []
      : [`${safe(term, MAX_TERM)}${column === undefined ? "" : ` (column ${column})`}`]),
  ].join(" ");
  return `${paint(STYLES[severity], severity.padEnd(8))} ${where === "" ? "" : `${where}: `}${message} → ${fix}`;
}

const STYLES: Readonly<Record<Severity, Style>> = {
  error: "red",
  warning: "yellow",
  hint: "dim",
};
