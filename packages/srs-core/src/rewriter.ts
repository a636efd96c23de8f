// The rewriter: envelope senders out (forward), SRS addresses back (reverse). The forwarder, the bounce handler and the
// command line call it.
import type { UnixSeconds } from "./day-stamp.ts";
import { type ForwardOutcome, forge, tooLong } from "./forge.ts";
import { checkMailbox, exceedsAddress, MAX_ADDRESS_OCTETS, type Mailbox, mailboxOctets } from "./mailbox.ts";
import { NULL_PATH, type ReversePath } from "./reverse-path.ts";
import { type RewriterOptions, rewriterRules } from "./rewriter-options.ts";
import { looksLikeSrs } from "./srs-address.ts";
import { type ReverseOutcome, unwrap } from "./unwrap.ts";

export interface ForwardContext {
  /** The alias that the message was sent to: strong tags carry a selector of it where there is room. */
  readonly alias?: Mailbox;
}

export interface Rewriter {
  /** The SRS domain, as configured. */
  readonly domain: string;
  /**
   * Gives the envelope sender to use when a message leaves the site. The null path stays null. Throws, as the other two
   * do, for a caller's bug: a RangeError for a time that is no number, a TypeError for an alias that is no address.
   */
  forward(sender: ReversePath, now: UnixSeconds, context?: ForwardContext): ForwardOutcome;
  /** Verifies an SRS address and takes one layer off. The address's own domain is not looked at: that is routing. */
  reverse(address: Mailbox, now: UnixSeconds): ReverseOutcome;
  /**
   * The selectors that an alias has had, one for each secret, newest first. An alias is folded to lower case, its domain
   * turned into A-labels. Throws a TypeError where it is no address.
   */
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

    forward(given, now, context = {}) {
      checkTime(now);
      if (given === NULL_PATH) return { ok: true, rewritten: false, sender: given, why: "null-sender" };
      // No such address exists, so none is hashed: cost stays bounded, whatever a caller passes in.
      if (exceedsAddress(given)) return noAddress(given);
      const checked = checkMailbox(given);
      if (!checked.ok) return checked;
      const sender = checked.mailbox;
      // A-labels are longer than U-labels.
      if (sender !== given && exceedsAddress(sender)) return noAddress(sender);
      // An own SRS address is never wrapped again, whatever `alwaysRewrite` says: it would grow at every pass.
      if (rules.isOwn(sender.domain) && (!rules.alwaysRewrite || looksLikeSrs(sender.localPart))) {
        return { ok: true, rewritten: false, sender, why: "own-domain" };
      }
      const [selector = ""] = context.alias ? rules.names.selectors(context.alias) : [];
      return forge(rules, sender, now, selector);
    },

    reverse(address, now) {
      checkTime(now);
      return unwrap(rules, address.localPart, now);
    },

    selectorsOf: (alias) => rules.names.selectors(alias),
  };
}

/** A date could not be judged by it: every comparison with NaN is false, and no address would ever expire. */
function checkTime(now: UnixSeconds): void {
  if (!Number.isFinite(now)) throw new RangeError(`now: ${String(now)} is no time: give Unix seconds`);
}

function noAddress(sender: Mailbox): ForwardOutcome {
  return tooLong("address to rewrite has", mailboxOctets(sender), MAX_ADDRESS_OCTETS);
}
