// The gate for what comes back: may this SRS recipient be accepted, and whose mail is it? Called by the forwarder's
// routes at RCPT, before DATA, so that forged and expired addresses never make us answer for a message.
import type { Reply } from "@homing/mail";
import {
  asciiLower,
  looksLikeSrs,
  type Mailbox,
  NULL_PATH,
  parseSrs,
  type ReverseFailure,
  type ReverseOutcome,
  type ReversePath,
  type Rewriter,
  type UnixSeconds,
} from "@homing/srs-core";
import type { Guess, GuessBudget } from "./guesses/guess-budget.ts";

/** One text for every reason: a guesser must not learn whether the tag, the day or the sender was wrong. */
export const NOT_A_BOUNCE: Reply = {
  code: 550,
  enhanced: "5.7.1",
  text: "this address takes only bounces (MAIL FROM:<>) to mail that was sent through here lately",
};

/** Before anything is verified, and whatever the address is. Whoever has a real bounce comes again. */
export const TOO_MANY_GUESSES: Reply = {
  code: 451,
  enhanced: "4.7.1",
  text: "too many wrong addresses were tried, try again later",
};

/** What an SRS0 address of ours says of the mail that was forwarded. */
export interface SrsFacts {
  /** That verified the tag. */
  readonly rewriter: Rewriter;
  /** Of the alias; undefined where the tag has none. */
  readonly selector: string | undefined;
  /** Of the rewriter's, 0 is the newest. */
  readonly secretIndex: number;
  /** The day, as it stands in the address. */
  readonly stamp: string;
}

export type Unwrapped =
  | {
      readonly srs: "srs0";
      /** The original sender. */
      readonly to: Mailbox;
      readonly facts: SrsFacts;
      /** It has a sender of its own: no bounce, and at best an automatic answer. */
      readonly isAnswer: boolean;
    }
  | {
      readonly srs: "srs1";
      /** The original sender, as the first forwarder wrapped him: it knows more. */
      readonly to: Mailbox;
    };

export type Admission =
  | { readonly kind: "unwrap"; readonly unwrapped: Unwrapped }
  /** The reason is for the log alone. */
  | { readonly kind: "refuse"; readonly reply: Reply; readonly reason: GateRefusal };

export type GateRefusal = ReverseFailure | "sender-not-null" | "too-many-guesses";

export interface Asked {
  readonly now: UnixSeconds;
  /** The client's IPv4 address or IPv6 /64; undefined for a server of our own, through which others come. */
  readonly network: string | undefined;
}

export interface BounceGate {
  /** Is the recipient judged here? Every SRS-like address at the SRS domain is, whether its tag is good or not. */
  judges(recipient: Mailbox): boolean;
  /** Whether an automatic answer may come in, settings of the alias say: who calls looks at `isAnswer`. */
  admit(recipient: Mailbox, reversePath: ReversePath, asked: Asked): Admission;
  /** Takes one layer off, if one may guess still. */
  reverse(address: Mailbox, asked: Asked): ReverseOutcome | "too-many-guesses";
}

/** Shorter tags fall to a guesser within a day, if nothing holds him back. */
const GUESSABLE_CHARACTERS = 8;

/** @param rewriterAt verifies the addresses at an SRS domain of ours; undefined for every other domain */
export function createBounceGate(
  rewriterAt: (domain: string) => Rewriter | undefined,
  budget: GuessBudget,
): BounceGate {
  const judgeOf = (address: Mailbox): Rewriter | undefined =>
    looksLikeSrs(address.localPart) ? rewriterAt(address.domain) : undefined;

  /** One layer, if there may be a further guess. */
  const reverse = (address: Mailbox, { now, network }: Asked): ReverseOutcome | "too-many-guesses" => {
    const guess = guessOf(address, network);
    if (guess && budget.mustWait(guess, now * 1000)) return "too-many-guesses";
    const outcome = judgeOf(address)?.reverse(address, now) ?? NOT_SRS;
    if (guess && !outcome.ok && outcome.reason === "bad-tag") budget.failed(guess, now * 1000);
    return outcome;
  };

  /** Some servers return what they cannot deliver from the address that they return it to (iCloud). */
  const isOwnAddress = (sender: ReversePath, asked: Asked): boolean => {
    const outcome = sender !== NULL_PATH && judgeOf(sender) ? reverse(sender, asked) : undefined;
    return outcome !== undefined && outcome !== "too-many-guesses" && outcome.ok;
  };

  return {
    reverse,
    judges: (recipient) => judgeOf(recipient) !== undefined,

    admit(recipient, reversePath, asked) {
      const outer = reverse(recipient, asked);
      if (outer === "too-many-guesses") return refused(outer, TOO_MANY_GUESSES);
      if (!outer.ok) return refused(outer.reason);
      const isAnswer = reversePath !== NULL_PATH && !isOwnAddress(reversePath, asked);
      // Mail that passed here twice comes back as SRS1 whose first forwarder is this one: the next layer is ours too.
      if (!judgeOf(outer.address)) return unwrapped(recipient, outer, isAnswer);
      const inner = reverse(outer.address, asked);
      if (inner === "too-many-guesses") return refused(inner, TOO_MANY_GUESSES);
      if (!inner.ok) return refused(inner.reason);
      // We never wrap or keep an SRS address of our own, so nothing is left to unwrap; a loop ends here.
      if (judgeOf(inner.address)) return refused("malformed");
      return unwrapped(outer.address, inner, isAnswer);
    },
  };

  function unwrapped(
    wrapped: Mailbox,
    { kind, address: to, selector, secretIndex }: Extract<ReverseOutcome, { ok: true }>,
    isAnswer: boolean,
  ): Admission {
    const srs = parseSrs(wrapped.localPart);
    const rewriter = rewriterAt(wrapped.domain);
    if (kind === "srs0" && srs.kind === "srs0" && rewriter)
      return {
        kind: "unwrap",
        unwrapped: {
          srs: "srs0",
          to,
          facts: { rewriter, selector, secretIndex, stamp: srs.stamp },
          isAnswer,
        },
      };
    // An SRS address is a bearer token that every recipient sees: only bounces may use it.
    return isAnswer ? refused("sender-not-null") : { kind: "unwrap", unwrapped: { srs: "srs1", to } };
  }
}

/** Undefined where there is no tag to verify. */
function guessOf({ localPart }: Mailbox, network: string | undefined): Guess | undefined {
  const srs = parseSrs(localPart);
  if (srs.kind !== "srs0" && srs.kind !== "srs1") return undefined;
  // What stands behind the host of SRS1 is whatever a guesser likes.
  const victim = srs.kind === "srs0" ? `${srs.user}@${srs.domain}` : srs.host;
  return { network, victim: asciiLower(victim), isShort: srs.tag.length < GUESSABLE_CHARACTERS };
}

const NOT_SRS = { ok: false, reason: "not-srs" } as const;

function refused(reason: GateRefusal, reply = NOT_A_BOUNCE): Admission {
  return { kind: "refuse", reply, reason };
}
