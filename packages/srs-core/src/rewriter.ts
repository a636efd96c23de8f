// The rewriter: envelope senders out (forward), SRS addresses back (reverse). The one thing in this package that
// knows secrets and policy; the forwarder, the bounce handler and the command line call it.
import { octets } from "./ascii.ts";
import { dayStamp, stampAgeDays, type UnixSeconds } from "./day-stamp.ts";
import { parseDomain } from "./domain.ts";
import {
  MAX_ADDRESS_OCTETS,
  MAX_LOCAL_PART_OCTETS,
  type Mailbox,
  renderLocalPart,
  renderMailbox,
} from "./mailbox.ts";
import { NULL_PATH, type ReversePath } from "./reverse-path.ts";
import { type RewriterOptions, type RewriterRules, rewriterRules } from "./rewriter-options.ts";
import { looksLikeSrs, parseSrs, renderSrs, type Srs0, type Srs1 } from "./srs-address.ts";
import { matchingSecret, type TaggedFields } from "./tag.ts";

/** What became of an envelope sender. */
export type ForwardOutcome =
  | { readonly ok: true; readonly rewritten: true; readonly sender: Mailbox }
  | {
      readonly ok: true;
      readonly rewritten: false;
      readonly sender: ReversePath;
      readonly why: "null-sender" | "own-domain";
    }
  | { readonly ok: false; readonly reason: "too-long"; readonly message: string };

/** What became of an address that came back. Reasons are words of the command line's contract (docs/cli.md). */
export type ReverseOutcome =
  | {
      readonly ok: true;
      /** For SRS0 the original sender, for SRS1 the SRS0 address at the first forwarder. */
      readonly address: Mailbox;
      readonly kind: "srs0" | "srs1";
      /** Which secret signed: above 0, it was made before the last rotation. */
      readonly secretIndex: number;
    }
  | { readonly ok: false; readonly reason: ReverseFailure };

export type ReverseFailure = "not-srs" | "malformed" | "bad-tag" | "expired" | "future";

export interface Rewriter {
  /** The SRS domain, as configured. */
  readonly domain: string;
  /** Gives the envelope sender to use when a message leaves the site. The null path stays null. */
  forward(sender: ReversePath, now: UnixSeconds): ForwardOutcome;
  /** Verifies an SRS address and takes one layer off. The address's own domain is not looked at: that is routing. */
  reverse(address: Mailbox, now: UnixSeconds): ReverseOutcome;
}

/**
 * Makes a rewriter. Throws a RangeError or TypeError where the options contradict themselves: that is a bug or a
 * configuration that its reader should have refused.
 *
 * @example
 * const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "forwarder.example" });
 * const out = rewriter.forward({ localPart: "bob", domain: "origin.example" }, 1_700_000_000);
 * // SRS0=k5jjmthi=G3=origin.example=bob@forwarder.example
 */
export function createRewriter(options: RewriterOptions): Rewriter {
  const rules = rewriterRules(options);
  const sign: Sign = (covered) => rules.signing.mint(rules.secrets[0], covered);

  return {
    domain: rules.domain,

    forward(sender, now) {
      if (sender === NULL_PATH) return { ok: true, rewritten: false, sender, why: "null-sender" };
      // An own SRS address is never wrapped again, whatever `alwaysRewrite` says: it would grow at every pass.
      if (rules.isOwn(sender.domain) && (!rules.alwaysRewrite || looksLikeSrs(sender.localPart))) {
        return { ok: true, rewritten: false, sender, why: "own-domain" };
      }
      const srs = asSrs1(sender, sign) ?? asSrs0(sender, now, sign);
      return fitted({ localPart: renderSrs(srs, rules.separator), domain: rules.domain });
    },

    reverse(address, now) {
      const srs = parseSrs(address.localPart);
      if (srs.kind === "not-srs" || srs.kind === "malformed") return { ok: false, reason: srs.kind };
      const secretIndex = signedWith(rules, srs);
      // The tag before the date: who cannot sign learns nothing from the stamp.
      if (secretIndex < 0) return { ok: false, reason: "bad-tag" };
      if (srs.kind === "srs0") {
        const age = stampAgeDays(srs.stamp, now);
        if (age < 0) return { ok: false, reason: "future" };
        if (age > rules.maxAgeDays) return { ok: false, reason: "expired" };
      }
      const unwrapped = unwrap(srs);
      if (!parseDomain(unwrapped.domain).ok) return { ok: false, reason: "malformed" };
      return { ok: true, address: unwrapped, kind: srs.kind, secretIndex };
    },
  };
}

type Sign = (covered: TaggedFields) => string;

/** An SRS address of another forwarder becomes SRS1: the first forwarder is kept, and the address stops growing. */
function asSrs1(sender: Mailbox, sign: Sign): Srs1 | undefined {
  if (!looksLikeSrs(sender.localPart)) return undefined;
  if (sender.localPart.charAt(3) === "0") {
    // Not parsed further: a tag, a stamp and their form are opaque to everyone but their minter.
    return signedSrs1(sender.domain, sender.localPart.slice(4), sign);
  }
  const srs = parseSrs(sender.localPart);
  return srs.kind === "srs1" ? signedSrs1(srs.host, srs.rest, sign) : undefined;
}

function signedSrs1(host: string, rest: string, sign: Sign): Srs1 | undefined {
  const srs: Srs1 = { kind: "srs1", tag: "", host, rest };
  // A host with "=" or nothing after the separator could not be read back.
  if (rest.length < 2 || !parseDomain(host).ok) return undefined;
  return { ...srs, tag: sign(covered(srs)) };
}

function asSrs0(sender: Mailbox, now: UnixSeconds, sign: Sign): Srs0 {
  const srs: Srs0 = {
    kind: "srs0",
    tag: "",
    stamp: dayStamp(now),
    domain: sender.domain,
    user: sender.localPart,
  };
  return { ...srs, tag: sign(covered(srs)) };
}

function covered(srs: Srs0 | Srs1): TaggedFields {
  return srs.kind === "srs0"
    ? { kind: "srs0", fields: [srs.stamp, srs.domain, srs.user] }
    : { kind: "srs1", fields: [srs.host, srs.rest] };
}

function unwrap(srs: Srs0 | Srs1): Mailbox {
  return srs.kind === "srs0"
    ? { localPart: srs.user, domain: srs.domain }
    : { localPart: `SRS0${srs.rest}`, domain: srs.host };
}

/** The index of the secret under which an accepted scheme finds the tag right, or −1. Every one of them is tried. */
function signedWith(rules: RewriterRules, srs: Srs0 | Srs1): number {
  const found = rules.accepted.map((scheme) => matchingSecret(scheme, rules.secrets, covered(srs), srs.tag));
  return found.find((index) => index >= 0) ?? -1;
}

/** RFC 5321 §4.5.3.1: receivers may refuse a longer one, and then the mail is lost. */
function fitted(sender: Mailbox): ForwardOutcome {
  // Quotes count: the limit is on what SMTP writes.
  const local = octets(renderLocalPart(sender.localPart));
  if (local > MAX_LOCAL_PART_OCTETS) {
    const message = `the rewritten local part would have ${local} octets, the limit is ${MAX_LOCAL_PART_OCTETS}`;
    return { ok: false, reason: "too-long", message };
  }
  const whole = octets(renderMailbox(sender));
  if (whole > MAX_ADDRESS_OCTETS) {
    const message = `the rewritten address would have ${whole} octets, the limit is ${MAX_ADDRESS_OCTETS}`;
    return { ok: false, reason: "too-long", message };
  }
  return { ok: true, rewritten: true, sender };
}
