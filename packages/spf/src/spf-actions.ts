// What becomes of mail by its SPF result alone, as settings of the receiver. RFC 7208 §8 leaves it to him. Called by the
// forwarder's policy and by the MTA adapters.
import type { SpfAnswer, SpfResult } from "./spf.ts";

export type SpfAction =
  | "accept"
  /** Taken, and marked for the filters behind. */
  | "tag"
  /** 451. */
  | "defer"
  /** 550. */
  | "refuse";

/** A pass has no action: it is what the others are measured by. */
export type SpfFault = Exclude<SpfResult, "pass">;

/** A fault in words of the log. */
export type SpfReason = `spf-${SpfFault}`;

export type SpfActions = Readonly<Record<SpfFault, SpfAction>>;

export interface SpfRules {
  /** `tagOnly`: what would be refused or deferred is tagged. `off`: nothing is looked at. */
  readonly mode: "enforce" | "tagOnly" | "off";
  readonly spf: SpfActions;
}

export const SPF_ACTIONS: SpfActions = {
  fail: "refuse",
  softfail: "accept",
  neutral: "accept",
  none: "accept",
  temperror: "defer",
  permerror: "tag",
};

export interface SpfVerdict {
  readonly action: SpfAction;
  /** None of a pass. */
  readonly fault?: SpfReason;
  /** Mode `tagOnly`: what it would have been. */
  readonly would?: SpfAction;
}

export function spfVerdict({ mode, spf }: SpfRules, { result }: Pick<SpfAnswer, "result">): SpfVerdict {
  if (result === "pass") return { action: "accept" };
  return inMode(mode, { action: spf[result], fault: `spf-${result}` });
}

export function inMode<Verdict extends { readonly action: SpfAction }>(
  mode: SpfRules["mode"],
  verdict: Verdict,
): Verdict & { readonly would?: SpfAction } {
  const { action } = verdict;
  const isHard = action === "refuse" || action === "defer";
  return mode === "tagOnly" && isHard ? { ...verdict, action: "tag", would: action } : verdict;
}

/** RFC 5321 §4.5.1: whoever cannot send us mail any more must be able to say so to postmaster. */
export function postmasterActions(actions: SpfActions): SpfActions {
  const { fail, softfail, neutral, none, temperror, permerror } = actions;
  return {
    fail: milder(fail),
    softfail: milder(softfail),
    neutral: milder(neutral),
    none: milder(none),
    temperror: milder(temperror),
    permerror: milder(permerror),
  };
}

function milder(action: SpfAction): SpfAction {
  return action === "refuse" ? "tag" : action;
}
