// All rules, and the sorting of a comparison by them. Called by the tests and by the differential test.
import { sameAnswer } from "./answers.ts";
import type { Comparison } from "./comparisons.ts";
import { PEER_QUIRKS } from "./peer-quirks.ts";
import { RULES_OF_ADDRESSES } from "./rules-of-addresses.ts";
import { RULES_OF_SRS } from "./rules-of-srs.ts";

/** Ours on purpose. Where several explain a difference, the first one counts. */
export const DIFFERENCE_RULES = [...RULES_OF_ADDRESSES, ...RULES_OF_SRS];

export type Sorted =
  | { readonly kind: "agree" | "differ" }
  | { readonly kind: "rule" | "quirk"; readonly id: string };

export function sorted(comparison: Comparison): Sorted {
  if (sameAnswer(comparison.ours, comparison.theirs)) return { kind: "agree" };
  const quirk = PEER_QUIRKS.find((one) => one.explains(comparison));
  if (quirk) return { kind: "quirk", id: quirk.id };
  const rule = DIFFERENCE_RULES.find((one) => one.explains?.(comparison));
  return rule ? { kind: "rule", id: rule.id } : { kind: "differ" };
}
