// What the linter says about a record: how bad, where, why, and what to do. Made throughout lint/, printed by `homing spf`.

/** `error`: receivers answer permerror, or a pass means nothing. `warning`: look after it. `hint`: could be better. */
export type Severity = "error" | "warning" | "hint";

export const FINDING_NAMES = [
  "no-record",
  "almost-a-record",
  "several-records",
  "syntax",
  "dns-failed",
  "too-many-lookups",
  "too-many-void-lookups",
  "too-many-mx-hosts",
  "target-without-record",
  "loop",
  "not-followed",
  "macro",
  "passes-everybody",
  "wide-network",
  "private-network",
  "host-bits",
  "no-all",
  "neutral-all",
  "behind-all",
  "redirect-ignored",
  "redundant",
  "never-matches",
  "ptr",
  "unknown-modifier",
  "no-address",
  "no-explanation",
  "long-string",
  "long-answer",
  "host-without-record",
] as const;

export type FindingName = (typeof FINDING_NAMES)[number];

/** Text from DNS in it is printable ASCII. */
export interface Finding {
  readonly severity: Severity;
  readonly name: FindingName;
  /** Whose record it is about; "" where the text came without one. */
  readonly domain: string;
  readonly term?: string;
  /** Of the term in the record, from 1. */
  readonly column?: number;
  /** What, and why. */
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

export const SEVERITIES: readonly Severity[] = ["error", "warning", "hint"];

/** The worst first; those of one kind in their order. */
export function inOrder(findings: readonly Finding[]): readonly Finding[] {
  return SEVERITIES.flatMap((severity) => findings.filter((finding) => finding.severity === severity));
}
