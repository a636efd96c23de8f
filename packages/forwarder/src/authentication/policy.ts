// The policy: from what was found about a sender to what becomes of the mail, without asking anybody. Called by
// sender-check.ts; the table in docs/authentication.md is this file in words.
import { inMode, type SpfAnswer, type SpfReason } from "@homing/spf";
import type { AuthenticationResults, DkimResult } from "./results.ts";
import type { Action, AuthenticationPolicy } from "./settings.ts";

/** Why mail is tagged, deferred or refused: words of the log and of X-Homing-Verdict. */
export type Fault =
  | SpfReason
  | "dmarc-quarantine"
  | "dmarc-reject"
  /** RFC 7489 §6.6.1: the header From names no one domain. */
  | "dmarc-unclear"
  /** Its fields were not looked at. */
  | "header-too-long"
  | "own-domain"
  /** DNS did not answer, and its answer decides. */
  | "no-answer";

/** A DNS list names the client, or the domain of the envelope sender. */
export type ListFault = "dnsbl" | "rhsbl";

/** What is wrong beside the verdict: then the message is suspect, too. */
export type Mark =
  | ListFault
  /** A relay of ours does not say who came to it, so that nobody could ask SPF. */
  | "unknown-client";

export function isList(mark: Mark | undefined): mark is ListFault {
  return mark === "dnsbl" || mark === "rhsbl";
}

export interface Verdict {
  readonly action: Action;
  /** Of the action; none of a plain `accept`. */
  readonly fault?: Fault;
  /** Mode `tagOnly`: what it would have been. */
  readonly would?: Action;
  /** What would have been, if not for an aligned signature or a trusted forwarder. */
  readonly overridden?: { readonly fault: Fault; readonly by: "dkim" | "trusted-forwarder" };
}

const ACCEPT: Verdict = { action: "accept" };

/** What SPF alone says, before there is a message. */
export { spfVerdict } from "@homing/spf";

/** Nothing in the message can change it: no signature counts for a domain without DMARC, or one that sends no mail. */
export function isSettledBySpf(spf: SpfAnswer, senderHasDmarc: boolean): boolean {
  return spf.namesNobody || !senderHasDmarc;
}

export interface Circumstances {
  /** An entry of the trusted forwarders names the client, or a sealer of the message's chain. */
  readonly isTrustedForwarder: boolean;
  /** The chain could not be checked, and a sealer that is trusted is in it. */
  readonly mayBeTrustedForwarder: boolean;
  /** A domain in the header From is ours, or below one of ours. */
  readonly isFromOurs: boolean;
  /** The sender is an SRS address of ours with a good tag, which came round through somebody who does not rewrite. */
  readonly isOurSender: boolean;
  /** SPF could not be asked: nobody knows from where it came. */
  readonly isUnknownClient: boolean;
  /** Nobody can be told of a refusal, and automatic answers have strange authors. */
  readonly isNullSender: boolean;
}

/** All that was found. The hardest action counts, and of equal ones the first: SPF, DMARC, our own domain. */
export function contentVerdict(
  policy: AuthenticationPolicy,
  results: AuthenticationResults,
  circumstances: Circumstances,
): Verdict {
  const { isTrustedForwarder, mayBeTrustedForwarder } = circumstances;
  const found = hardest([
    spfVerdictOfContent(policy, results, circumstances),
    dmarcVerdict(policy, results, circumstances),
    ownDomainVerdict(policy, results, circumstances),
  ]);
  if (found.fault === undefined || found.action === "accept") return inMode(policy.mode, found);
  if (isTrustedForwarder) return { ...ACCEPT, overridden: { fault: found.fault, by: "trusted-forwarder" } };
  // What DNS did not say may be what helps: the client comes again.
  const mayChange = mayBeTrustedForwarder || results.content.dkim.some(mayHaveHelped);
  if (mayChange && found.action !== "defer")
    return inMode(policy.mode, { action: "defer", fault: "no-answer" });
  return inMode(policy.mode, found);
}

/** RFC 7208 §8.4: a fail may be accepted for a signature of the author's. */
function spfVerdictOfContent(
  { spf }: AuthenticationPolicy,
  results: AuthenticationResults,
  { isOurSender, isUnknownClient }: Circumstances,
): Verdict {
  const { result } = results.spf;
  if (result === "pass" || isOurSender || isUnknownClient) return ACCEPT;
  const fault: Fault = `spf-${result}`;
  const action = spf[result];
  const isSigned = results.content.dkim.some(isAlignedPass);
  return isSigned && action !== "accept"
    ? { ...ACCEPT, overridden: { fault, by: "dkim" } }
    : { action, fault };
}

function dmarcVerdict(
  { dmarc }: AuthenticationPolicy,
  results: AuthenticationResults,
  { isNullSender }: Circumstances,
): Verdict {
  const { result, policy } = results.content.dmarc;
  if (result === "temperror") {
    // With a pass of the very domain it would not fail, whatever the record says.
    return isAlignedAnyway(results, isSame) ? ACCEPT : { action: "defer", fault: "no-answer" };
  }
  const { headerFrom } = results.content;
  // Nobody's mail looks so, and nobody takes it apart.
  if (headerFrom.kind === "too-long") return { action: "refuse", fault: "header-too-long" };
  if (result === "permerror" && headerFrom.kind !== "domain")
    return {
      action: isNullSender && dmarc.unclear === "refuse" ? "tag" : dmarc.unclear,
      fault: "dmarc-unclear",
    };
  if (result !== "fail" || policy === "none") return ACCEPT;
  return { action: dmarc[policy], fault: `dmarc-${policy}` };
}

function ownDomainVerdict(
  { ownDomains }: AuthenticationPolicy,
  results: AuthenticationResults,
  { isFromOurs }: Circumstances,
): Verdict {
  if (!isFromOurs || results.content.dmarc.result === "pass" || isAlignedAnyway(results, areRelated))
    return ACCEPT;
  return { action: ownDomains, fault: "own-domain" };
}

/** From the hardest to the mildest. */
const HARDNESS: readonly Action[] = ["refuse", "defer", "tag", "accept"];

function hardest(verdicts: readonly Verdict[]): Verdict {
  const overridden = verdicts.find((verdict) => verdict.overridden)?.overridden;
  const action = HARDNESS.find((one) => verdicts.some((verdict) => verdict.action === one)) ?? "accept";
  const chosen = verdicts.find((verdict) => verdict.action === action && verdict.fault) ?? ACCEPT;
  return { ...chosen, ...(overridden ? { overridden } : {}) };
}

function isAlignedPass({ result, isAligned }: DkimResult): boolean {
  return result === "pass" && isAligned;
}

/** Its key could not be had, and with it the verdict would be another. */
function mayHaveHelped({ result, isAligned }: DkimResult): boolean {
  return result === "temperror" && isAligned;
}

/** @param isAligned as the domain may ask for: strict or relaxed */
function isAlignedAnyway(
  { spf, content }: AuthenticationResults,
  isAligned: (one: string, other: string) => boolean,
): boolean {
  const { headerFrom, dkim } = content;
  if (headerFrom.kind !== "domain") return false;
  const passed = dkim.filter(({ result }) => result === "pass").map(({ domain }) => domain);
  const domains = spf.result === "pass" ? [...passed, spf.domain] : passed;
  return domains.some((domain) => isAligned(domain, headerFrom.domain));
}

function isSame(one: string, other: string): boolean {
  return one === other;
}

/** RFC 7489 §3.1, relaxed, as far as it is told without a list of public suffixes: one is the other, or below it. */
function areRelated(one: string, other: string): boolean {
  return one === other || isBelow(one, other) || isBelow(other, one);
}

function isBelow(domain: string, above: string): boolean {
  return above !== "" && domain.endsWith(`.${above}`);
}

/**
 * The sender of the envelope is who he says: a bounce would go to somebody who sent the mail. A pass that everybody gets says
 * nothing, and neither does the HELO identity.
 */
export function isSenderVerified(spf: SpfAnswer): boolean {
  return spf.result === "pass" && spf.identity === "mailfrom" && !spf.passesEverybody;
}

/** As `isSenderVerified`, by a signature of the reverse-path's own domain, or of one above it. */
export function isSenderSigned({ spf, content }: AuthenticationResults, senderDomain: string): boolean {
  if (spf.result === "fail") return false;
  return content.dkim.some(
    ({ result, domain }) => result === "pass" && (domain === senderDomain || isBelow(senderDomain, domain)),
  );
}

/**
 * Forwarded, the mail has no aligned SPF any more: with a sender who publishes a policy, and no aligned signature, the next
 * hop may refuse it.
 */
export function mayBeRefusedNext({ content }: AuthenticationResults): boolean {
  return content.dmarc.policy !== "none" && !content.dkim.some(isAlignedPass);
}
