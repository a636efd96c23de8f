// The gate for what comes back: may this SRS recipient be accepted, and whose mail is it? Called by the forwarder's
// routes at RCPT, before DATA, so that forged and expired addresses never make us answer for a message.
import type { Reply } from "@homing/mail";
import {
  looksLikeSrs,
  type Mailbox,
  NULL_PATH,
  type ReverseFailure,
  type ReversePath,
  type Rewriter,
  type UnixSeconds,
} from "@homing/srs-core";

/** One text for every reason: a guesser must not learn whether the tag, the day or the sender was wrong. */
export const NOT_A_BOUNCE: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "this address takes only bounces (MAIL FROM:<>) to mail that was sent through here lately",
};

export type Admission =
  | {
      readonly kind: "unwrap";
      /** Where the bounce goes: the original sender, or for SRS1 the first forwarder. */
      readonly to: Mailbox;
      readonly srs: "srs0" | "srs1";
    }
  /** The reason is for the log alone. */
  | { readonly kind: "refuse"; readonly reply: Reply; readonly reason: ReverseFailure | "sender-not-null" };

export interface BounceGate {
  /** Is the recipient judged here? Every SRS-like address at the SRS domain is, whether its tag is good or not. */
  judges(recipient: Mailbox): boolean;
  admit(recipient: Mailbox, reversePath: ReversePath, now: UnixSeconds): Admission;
}

/** @param rewriterAt verifies the addresses at an SRS domain of ours; undefined for every other domain */
export function createBounceGate(rewriterAt: (domain: string) => Rewriter | undefined): BounceGate {
  const judgeOf = (address: Mailbox): Rewriter | undefined =>
    looksLikeSrs(address.localPart) ? rewriterAt(address.domain) : undefined;

  return {
    judges: (recipient) => judgeOf(recipient) !== undefined,

    admit(recipient, reversePath, now) {
      const outer = judgeOf(recipient)?.reverse(recipient, now) ?? NOT_SRS;
      if (!outer.ok) return refused(outer.reason);
      // An SRS address is a bearer token that every recipient sees: only bounces may use it.
      if (reversePath !== NULL_PATH) return refused("sender-not-null");
      // Mail that passed here twice comes back as SRS1 whose first forwarder is this one: the next layer is ours too.
      const again = judgeOf(outer.address);
      if (!again) return { kind: "unwrap", to: outer.address, srs: outer.kind };
      const inner = again.reverse(outer.address, now);
      if (!inner.ok) return refused(inner.reason);
      // We never wrap or keep an SRS address of our own, so nothing is left to unwrap; a loop ends here.
      if (judgeOf(inner.address)) return refused("malformed");
      return { kind: "unwrap", to: inner.address, srs: inner.kind };
    },
  };
}

const NOT_SRS = { ok: false, reason: "not-srs" } as const;

function refused(reason: ReverseFailure | "sender-not-null"): Admission {
  return { kind: "refuse", reply: NOT_A_BOUNCE, reason };
}
