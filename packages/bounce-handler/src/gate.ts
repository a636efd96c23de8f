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

export type Admission =
  | {
      readonly kind: "unwrap";
      /** Where the bounce goes: the original sender, or for SRS1 the first forwarder. */
      readonly to: Mailbox;
      readonly srs: "srs0" | "srs1";
    }
  /** The reason is for the log alone. */
  | {
      readonly kind: "refuse";
      readonly reply: Reply;
      readonly reason: ReverseFailure | "sender-not-null" | "too-many-guesses";
    };

export interface Asked {
  readonly now: UnixSeconds;
  /** The client's IPv4 address or IPv6 /64; undefined for a server of our own, through which others come. */
  readonly network: string | undefined;
}

export interface BounceGate {
  /** Is the recipient judged here? Every SRS-like address at the SRS domain is, whether its tag is good or not. */
  judges(recipient: Mailbox): boolean;
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
      // An SRS address is a bearer token that every recipient sees: only bounces may use it.
      if (reversePath !== NULL_PATH && !isOwnAddress(reversePath, asked)) return refused("sender-not-null");
      // Mail that passed here twice comes back as SRS1 whose first forwarder is this one: the next layer is ours too.
      if (!judgeOf(outer.address)) return { kind: "unwrap", to: outer.address, srs: outer.kind };
      const inner = reverse(outer.address, asked);
      if (inner === "too-many-guesses") return refused(inner, TOO_MANY_GUESSES);
      if (!inner.ok) return refused(inner.reason);
      // We never wrap or keep an SRS address of our own, so nothing is left to unwrap; a loop ends here.
      if (judgeOf(inner.address)) return refused("malformed");
      return { kind: "unwrap", to: inner.address, srs: inner.kind };
    },
  };
}

/** Undefined where there is no tag to verify. */
function guessOf({ localPart }: Mailbox, network: string | undefined): Guess | undefined {
  const srs = parseSrs(localPart);
  if (srs.kind !== "srs0" && srs.kind !== "srs1") return undefined;
  const victim = srs.kind === "srs0" ? `${srs.user}@${srs.domain}` : `${srs.rest}@${srs.host}`;
  return { network, victim: asciiLower(victim), isShort: srs.tag.length < GUESSABLE_CHARACTERS };
}

const NOT_SRS = { ok: false, reason: "not-srs" } as const;

function refused(reason: Extract<Admission, { kind: "refuse" }>["reason"], reply = NOT_A_BOUNCE): Admission {
  return { kind: "refuse", reply, reason };
}
