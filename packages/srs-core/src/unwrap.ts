// Verifies SRS addresses and takes one layer off. Called by rewriter.ts.
import { asciiLower } from "./ascii.ts";
import { stampAgeDays, type UnixSeconds } from "./day-stamp.ts";
import { checkMailbox, type Mailbox } from "./mailbox.ts";
import type { RewriterRules } from "./rewriter-options.ts";
import { KEPT_LABEL } from "./sender-store.ts";
import { parseSrs, type Srs0, type Srs1 } from "./srs-address.ts";
import { covered, type Scheme, type Tagger, type TagMatch } from "./tag.ts";

/** What became of an address that came back. Reasons are words of the command line's contract (docs/cli.md). */
export type ReverseOutcome =
  | {
      readonly ok: true;
      /** For SRS0 the original sender, for SRS1 the SRS0 address at the first forwarder. */
      readonly address: Mailbox;
      readonly kind: "srs0" | "srs1";
      readonly scheme: Scheme;
      /** Which secret signed: above 0, it was made before the last rotation. */
      readonly secretIndex: number;
      /** Names the alias that the message was sent to; compare with `selectorsOf`. */
      readonly selector?: string;
    }
  | { readonly ok: false; readonly reason: ReverseFailure };

/** `expired` is also a kept sender that the store has no more. */
export type ReverseFailure = "not-srs" | "malformed" | "bad-tag" | "expired" | "future";

export function unwrap(rules: RewriterRules, localPart: string, now: UnixSeconds): ReverseOutcome {
  const srs = parseSrs(localPart);
  if (srs.kind === "not-srs" || srs.kind === "malformed") return { ok: false, reason: srs.kind };
  const signed = verified(rules, srs);
  // The tag before the date: who cannot sign learns nothing from the stamp.
  if (!signed) return { ok: false, reason: "bad-tag" };
  const late = srs.kind === "srs0" ? outOfDate(rules, signed.tagger, srs.stamp, now) : undefined;
  if (late) return { ok: false, reason: late };
  const inner = srs.kind === "srs0" && srs.domain === KEPT_LABEL ? keptSender(rules, srs.user) : within(srs);
  if (typeof inner === "string") return { ok: false, reason: inner };
  return { ok: true, address: inner, kind: srs.kind, scheme: signed.tagger.scheme, ...signed.match };
}

interface Signed {
  readonly tagger: Tagger;
  readonly match: TagMatch;
}

/** The accepted scheme that finds the tag right. Every one of them is tried. */
function verified(rules: RewriterRules, srs: Srs0 | Srs1): Signed | undefined {
  let found: Signed | undefined;
  for (const tagger of rules.accepted) {
    const match = tagger.find(covered(srs), srs.tag);
    if (match && !found) found = { tagger, match };
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

/** Whoever shares our secret may have signed what is no address. */
function within(srs: Srs0 | Srs1): Mailbox | "malformed" {
  const checked =
    srs.kind === "srs0"
      ? checkMailbox({ localPart: srs.user, domain: srs.domain })
      : checkMailbox({ localPart: `SRS0${srs.rest}`, domain: srs.host });
  return checked.ok ? checked.mailbox : "malformed";
}
