// Verifies SRS addresses and takes one layer off. Called by rewriter.ts.
import { asciiLower } from "./ascii.ts";
import { stampAgeDays, type UnixSeconds } from "./day-stamp.ts";
import { checkMailbox, exceedsAddress, type Mailbox } from "./mailbox.ts";
import type { RewriterRules } from "./rewriter-options.ts";
import { KEPT_LABEL } from "./sender-store.ts";
import { parseSrs, type Srs0, type Srs1 } from "./srs-address.ts";
import { covered, type Signature, type Tagger } from "./tag.ts";

/** What became of an address that came back. Reasons are words of the command line's contract (docs/cli.md). */
export type ReverseOutcome =
  | (Signature & {
      readonly ok: true;
      /** For SRS0 the original sender, for SRS1 the SRS0 address at the first forwarder. */
      readonly address: Mailbox;
      readonly kind: "srs0" | "srs1";
    })
  | { readonly ok: false; readonly reason: UnsignedFailure }
  /** The tag is good, and what comes after it is not. */
  | (Signature & { readonly ok: false; readonly reason: SignedFailure });

type UnsignedFailure = "not-srs" | "malformed" | "bad-tag";
/** `expired` is also a kept sender that the store has no more. */
type SignedFailure = "malformed" | "expired" | "future";

export type ReverseFailure = UnsignedFailure | SignedFailure;

export function unwrap(rules: RewriterRules, localPart: string, now: UnixSeconds): ReverseOutcome {
  const srs = parseSrs(localPart);
  if (srs.kind === "not-srs" || srs.kind === "malformed") return { ok: false, reason: srs.kind };
  const signed = verified(rules, srs);
  // The tag before the date: who cannot sign learns nothing from the stamp.
  if (!signed) return { ok: false, reason: "bad-tag" };
  const { tagger, signature } = signed;
  const late = srs.kind === "srs0" ? outOfDate(rules, tagger, srs.stamp, now) : undefined;
  if (late) return { ok: false, reason: late, ...signature };
  const inner =
    srs.kind === "srs0" && srs.domain === KEPT_LABEL ? keptSender(rules, srs.user) : innerAddress(srs);
  if (typeof inner === "string") return { ok: false, reason: inner, ...signature };
  return { ok: true, address: inner, kind: srs.kind, ...signature };
}

interface Signed {
  readonly tagger: Tagger;
  readonly signature: Signature;
}

/** The accepted scheme that finds the tag right. Every one of them is tried. */
function verified(rules: RewriterRules, srs: Srs0 | Srs1): Signed | undefined {
  let found: Signed | undefined;
  for (const tagger of rules.accepted) {
    const signature = tagger.find(covered(srs), srs.tag);
    if (signature && !found) found = { tagger, signature };
  }
  return found;
}

function outOfDate(
  rules: RewriterRules,
  tagger: Tagger,
  stamp: string,
  now: UnixSeconds,
): "future" | "expired" | undefined {
  const age = stampAgeDays(stamp, now);
  if (age < 0) return "future";
  return age > Math.min(rules.maxAgeDays, tagger.maxAgeDays ?? rules.maxAgeDays) ? "expired" : undefined;
}

function keptSender(rules: RewriterRules, token: string): Mailbox | "expired" {
  return rules.store?.find(asciiLower(token)) ?? "expired";
}

/** What the fields stand for, whoever signed them: that may be no address. */
export function innerAddress(srs: Srs0 | Srs1): Mailbox | "malformed" {
  const checked =
    srs.kind === "srs0"
      ? checkMailbox({ localPart: srs.user, domain: srs.domain })
      : checkMailbox({ localPart: `SRS0${srs.rest}`, domain: srs.host });
  return checked.ok && !exceedsAddress(checked.mailbox) ? checked.mailbox : "malformed";
}
