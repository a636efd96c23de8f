// The rewriter: envelope senders out (forward), SRS addresses back (reverse). The one thing in this package that
// knows secrets and policy; the forwarder, the bounce handler and the command line call it.
import { asciiLower } from "./ascii.ts";
import { dayStamp, stampAgeDays, type UnixSeconds } from "./day-stamp.ts";
import { parseDomain } from "./domain.ts";
import { localPartOctets, MAX_ADDRESS_OCTETS, MAX_LOCAL_PART_OCTETS, type Mailbox } from "./mailbox.ts";
import { NULL_PATH, type ReversePath } from "./reverse-path.ts";
import { type RewriterOptions, type RewriterRules, rewriterRules } from "./rewriter-options.ts";
import { KEPT_LABEL } from "./sender-store.ts";
import { looksLikeSrs, parseSrs, renderSrs, type Srs0, type Srs1 } from "./srs-address.ts";
import type { Scheme, TaggedFields, Tagger, TagMatch } from "./tag.ts";

/** What became of an envelope sender. */
export type ForwardOutcome =
  | { readonly ok: true; readonly rewritten: true; readonly sender: Mailbox }
  | {
      readonly ok: true;
      readonly rewritten: false;
      readonly sender: ReversePath;
      readonly why: "null-sender" | "own-domain";
    }
  | {
      readonly ok: false;
      readonly reason: "too-long";
      /** Of the rewritten local part or, where that fits, of the whole address. */
      readonly octets: number;
      readonly limit: number;
      readonly message: string;
    };

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

export interface ForwardContext {
  /** The alias that the message was sent to: strong tags carry a selector of it where there is room. */
  readonly alias?: Mailbox;
}

export interface Rewriter {
  /** The SRS domain, as configured. */
  readonly domain: string;
  /** Gives the envelope sender to use when a message leaves the site. The null path stays null. */
  forward(sender: ReversePath, now: UnixSeconds, context?: ForwardContext): ForwardOutcome;
  /** Verifies an SRS address and takes one layer off. The address's own domain is not looked at: that is routing. */
  reverse(address: Mailbox, now: UnixSeconds): ReverseOutcome;
  /** The selectors that an alias has had, one for each secret, newest first. An alias is folded to lower case. */
  selectorsOf(alias: Mailbox): string[];
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

  return {
    domain: rules.domain,

    forward(sender, now, context = {}) {
      if (sender === NULL_PATH) return { ok: true, rewritten: false, sender, why: "null-sender" };
      // An own SRS address is never wrapped again, whatever `alwaysRewrite` says: it would grow at every pass.
      if (rules.isOwn(sender.domain) && (!rules.alwaysRewrite || looksLikeSrs(sender.localPart))) {
        return { ok: true, rewritten: false, sender, why: "own-domain" };
      }
      const [selector = ""] = context.alias ? rules.names.selectors(context.alias) : [];
      return rewritten(rules, sender, now, selector);
    },

    reverse(address, now) {
      const srs = parseSrs(address.localPart);
      if (srs.kind === "not-srs" || srs.kind === "malformed") return { ok: false, reason: srs.kind };
      const signed = verified(rules, srs);
      // The tag before the date: who cannot sign learns nothing from the stamp.
      if (!signed) return { ok: false, reason: "bad-tag" };
      const late = srs.kind === "srs0" ? outOfDate(rules, signed.tagger, srs.stamp, now) : undefined;
      if (late) return { ok: false, reason: late };
      const inner = unwrap(rules, srs);
      if (typeof inner === "string") return { ok: false, reason: inner };
      return { ok: true, address: inner, kind: srs.kind, scheme: signed.tagger.scheme, ...signed.match };
    },

    selectorsOf: (alias) => rules.names.selectors(alias),
  };
}

/** Whole first; then without the selector; then kept, with a token in its place. What does not fit then is too long. */
function rewritten(
  rules: RewriterRules,
  sender: Mailbox,
  now: UnixSeconds,
  selector: string,
): ForwardOutcome {
  const whole = sender.localPart.length + 1 + sender.domain.length;
  // No such address exists, so none is hashed: cost stays bounded, whatever a caller passes in.
  if (whole > MAX_ADDRESS_OCTETS) return tooLong("address to rewrite has", whole, MAX_ADDRESS_OCTETS);
  const srs1 = asSrs1(rules, sender);
  if (srs1) return fitted(rules, signed(rules, srs1, ""));
  const srs0 = asSrs0(rules, sender, now);
  const outcome = fitted(rules, signed(rules, srs0, selector));
  const direct = outcome.ok || selector === "" ? outcome : fitted(rules, signed(rules, srs0, ""));
  // In an address of ours this domain would be read as the label of kept senders.
  const mistakable = sender.domain === KEPT_LABEL;
  if (!rules.store || (direct.ok && !mistakable)) return direct;
  const token = rules.names.token(sender);
  if (!rules.store.keep(token, sender)) return direct;
  return fitted(rules, signed(rules, { ...srs0, domain: KEPT_LABEL, user: token }, selector));
}

type Unsigned<Srs> = Omit<Srs, "tag">;

/** An SRS address of another forwarder becomes SRS1: the first forwarder is kept, and the address stops growing. */
function asSrs1(rules: RewriterRules, sender: Mailbox): Unsigned<Srs1> | undefined {
  if (!looksLikeSrs(sender.localPart)) return undefined;
  // SRS0 is not parsed further: tag, stamp and their form are opaque to everyone but their minter.
  const srs = sender.localPart.charAt(3) === "0" ? undefined : parseSrs(sender.localPart);
  if (srs && srs.kind !== "srs1") return undefined;
  const { host, rest } = srs ?? { host: sender.domain, rest: sender.localPart.slice(4) };
  // A host with "=" or nothing after the separator could not be read back.
  if (rest.length < 2 || !parseDomain(host).ok) return undefined;
  return { kind: "srs1", separator: rules.separator, host, rest };
}

function asSrs0(rules: RewriterRules, sender: Mailbox, now: UnixSeconds): Unsigned<Srs0> {
  const { localPart: user, domain } = sender;
  return { kind: "srs0", separator: rules.separator, stamp: dayStamp(now), domain, user };
}

function signed<Srs extends Unsigned<Srs0> | Unsigned<Srs1>>(
  rules: RewriterRules,
  srs: Srs,
  selector: string,
): Srs & { readonly tag: string } {
  return { ...srs, tag: rules.signing.mint(covered(srs), selector) };
}

function covered(srs: Unsigned<Srs0> | Unsigned<Srs1>): TaggedFields {
  const { kind, separator } = srs;
  if (kind === "srs1") return { kind, separator, fields: [srs.host, srs.rest] };
  return { kind, separator, fields: [srs.stamp, srs.domain, srs.user] };
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

function unwrap(rules: RewriterRules, srs: Srs0 | Srs1): Mailbox | "malformed" | "expired" {
  if (srs.kind === "srs0" && srs.domain === KEPT_LABEL && rules.store) {
    return rules.store.find(asciiLower(srs.user)) ?? "expired";
  }
  const [localPart, domain] = srs.kind === "srs0" ? [srs.user, srs.domain] : [`SRS0${srs.rest}`, srs.host];
  return parseDomain(domain).ok ? { localPart, domain } : "malformed";
}

/** RFC 5321 §4.5.3.1: receivers may refuse a longer one, and then the mail is lost. Quotes count. */
function fitted(rules: RewriterRules, srs: Srs0 | Srs1): ForwardOutcome {
  const sender: Mailbox = { localPart: renderSrs(srs), domain: rules.domain };
  const local = localPartOctets(sender.localPart);
  if (local > MAX_LOCAL_PART_OCTETS)
    return tooLong("rewritten local part would have", local, MAX_LOCAL_PART_OCTETS);
  const whole = local + 1 + sender.domain.length;
  if (whole > MAX_ADDRESS_OCTETS) return tooLong("rewritten address would have", whole, MAX_ADDRESS_OCTETS);
  return { ok: true, rewritten: true, sender };
}

function tooLong(what: string, size: number, limit: number): ForwardOutcome {
  const message = `the ${what} ${size} octets, the limit is ${limit}`;
  return { ok: false, reason: "too-long", octets: size, limit, message };
}
