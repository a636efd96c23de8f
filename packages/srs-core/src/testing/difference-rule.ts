// A rule that explains one kind of difference from other programs. Called by the files that list them, by the test that
// sorts the observed answers, and by the differential test against a running Mail::SRS.
import { type Answer, sameAnswer } from "./answers.ts";
import { addressOf, reason } from "./comparison-facts.ts";
import type { Comparison } from "./comparisons.ts";

/** One row of a table in docs/srs.md. */
export interface DifferenceRule {
  readonly id: string;
  /** What the others do; for a peer's own bug, the peer and the bug. */
  readonly theirs: string;
  /** What we do. */
  readonly ours: string;
  readonly why: string;
  /** Text and our answer, with the secret and the time of the observed answers; tested. */
  readonly examples: readonly Example[];
  /** Does it explain this difference? Left out where no observed answer shows the difference. */
  readonly explains?: (comparison: Comparison) => boolean;
}

export interface Example {
  readonly op: "forward" | "reverse";
  readonly input: string;
  /** An address or the reason of a refusal. */
  readonly answer: string;
}

export const forwards = (input: string, answer: string): Example => ({ op: "forward", input, answer });
export const reverses = (input: string, answer: string): Example => ({ op: "reverse", input, answer });

/** They give an address, and we refuse for one of the reasons. */
export function onlyWeRefuse(comparison: Comparison, ...reasons: readonly string[]): boolean {
  return (
    addressOf(comparison.theirs) !== undefined && reasons.includes(reason(comparison.ours) ?? "an address")
  );
}

/** The refusal of a peer, where we give an address. */
export function onlyTheyRefuse({ ours, theirs }: Comparison): string | undefined {
  return "address" in ours && "refused" in theirs ? theirs.refused : undefined;
}

/** Both give an address, and these differ in nothing but quotes and backslashes. */
export function differInQuotes({ ours, theirs }: { ours: Answer; theirs: Answer }): boolean {
  if ("refused" in ours || "refused" in theirs || sameAnswer(ours, theirs)) return false;
  return unquoted(ours.address) === unquoted(theirs.address);
}

export function unquoted(text: string): string {
  return text.replace(/["\\]/g, "");
}
