// The maps that rewrite: envelope senders out (`forward`), SRS recipients back (`reverse`), and which SRS recipients and
// senders are to be refused (`reject`, `reject-sender`). Every protocol that looks keys up asks these; the names of the first
// two are PostSRSd's.
import { type BounceGate, NOT_A_BOUNCE, TOO_MANY_GUESSES } from "@homing/bounce-handler/gate";
import { renderReply } from "@homing/mail";
import {
  type Mailbox,
  parseMailbox,
  parseReversePath,
  renderMailbox,
  type UnixSeconds,
} from "@homing/srs-core";
import { NO_SUCH_ADDRESS } from "../only-srs.ts";
import { forgedSender } from "../senders/forged-sender.ts";
import type { LookUp, MapAnswer } from "./map-answer.ts";
import { parseAliasKey, parseMapSender } from "./map-key.ts";
import type { OwnDomains } from "./own-domains.ts";
import { withoutRootDot } from "./root-dot.ts";
import type { RewritingOutcome, SenderRewriting } from "./sender-rewriting.ts";

export interface SrsMapsOptions {
  readonly rewriter: SenderRewriting;
  /** Knows the SRS domains, verifies, and holds guessers back. */
  readonly gate: BounceGate;
  /** Asked at each look-up: a file of domains may change. */
  readonly ownDomains: () => OwnDomains;
  /** Of an address that is no SRS address, at a domain that has only those. Default: nobody is nobody. */
  readonly isNobody?: (recipient: string) => boolean;
  readonly now: () => UnixSeconds;
}

export interface SrsMaps {
  /** The map `forward`. @param alias that the mail came for: strong tags name it, so that a bounce can be told in its terms */
  forward(sender: string, alias?: Mailbox): MapAnswer | Promise<MapAnswer>;
  /** The map `reverse`: takes one layer off. */
  reverse(recipient: string): MapAnswer;
  /** The map `reject`: an access(5) action for a recipient at an SRS domain whose mail is not to be taken. */
  reject(recipient: string): MapAnswer;
  /** The map `reject-sender`: the same for a sender at an SRS domain who was not made here. Not for users of the site. */
  rejectSender(sender: string): MapAnswer;
  /** By the map's name, as it comes over the wire. `forward-alias` has the key `ALIAS SENDER`. */
  readonly lookUp: LookUp;
}

/** Through a map come the guesses of everybody: they are counted together (undefined: a server of our own). */
const EVERYBODY = undefined;
const NO_SUCH_MAP: MapAnswer = {
  kind: "wrong",
  why: "there is no such map: ask for forward, forward-alias, reverse, reject or reject-sender",
};
const MALFORMED_KEY: MapAnswer = { kind: "wrong", why: "forward-alias wants an alias, a blank and a sender" };

export function createSrsMaps(options: SrsMapsOptions): SrsMaps {
  const { rewriter, gate, ownDomains, isNobody = () => false, now } = options;

  const maps: Omit<SrsMaps, "lookUp"> = {
    forward(sender, alias) {
      const parsed = parseMapSender(sender);
      if (parsed.kind === "null") return notFound("the null sender stays as it is");
      if (parsed.kind === "user") return notFound("a user of this machine");
      if (parsed.kind === "malformed") return unfit(parsed.message);
      const { mailbox } = parsed;
      if (ownDomains().has(mailbox.domain)) return notFound("a domain of ours");
      const outcome = rewriter.forward(mailbox, now(), alias ? { alias } : {});
      return outcome instanceof Promise ? outcome.then(forwardAnswer) : forwardAnswer(outcome);
    },

    reverse(recipient) {
      const parsed = parseMailbox(withoutRootDot(recipient));
      if (!parsed.ok || !gate.judges(parsed.mailbox)) return notFound("no SRS address of ours");
      const outcome = gate.reverse(parsed.mailbox, { now: now(), network: EVERYBODY });
      if (outcome === "too-many-guesses") return { kind: "later", why: TOO_MANY_GUESSES.text };
      return outcome.ok ? found(renderMailbox(outcome.address)) : notFound(NOT_A_BOUNCE.text);
    },

    reject(recipient) {
      const text = withoutRootDot(recipient);
      const parsed = parseMailbox(text);
      if (!parsed.ok || !gate.judges(parsed.mailbox))
        return isNobody(text) ? found(renderReply(NO_SUCH_ADDRESS)) : notFound("no SRS address of ours");
      const outcome = gate.reverse(parsed.mailbox, { now: now(), network: EVERYBODY });
      if (outcome === "too-many-guesses") return found(renderReply(TOO_MANY_GUESSES));
      return outcome.ok ? notFound("its tag is good") : found(renderReply(NOT_A_BOUNCE));
    },

    rejectSender(sender) {
      const known = parseMapSender(sender);
      const parsed = parseReversePath(known.kind === "null" ? "" : withoutRootDot(sender));
      if (!parsed.ok) return notFound(parsed.message);
      const forged = forgedSender({ gate, isNobody }, parsed.reversePath, { now: now(), network: EVERYBODY });
      return forged ? found(renderReply(forged.reply)) : notFound("nothing speaks against it");
    },
  };

  return {
    ...maps,
    lookUp(map, key) {
      switch (map) {
        case "forward":
          return maps.forward(key);
        case "forward-alias":
          return forwardAlias(maps, key);
        case "reverse":
          return maps.reverse(key);
        case "reject":
          return maps.reject(key);
        case "reject-sender":
          return maps.rejectSender(key);
        default:
          return NO_SUCH_MAP;
      }
    },
  };
}

function forwardAlias(maps: Pick<SrsMaps, "forward">, key: string): MapAnswer | Promise<MapAnswer> {
  const parsed = parseAliasKey(key);
  if (!parsed) return MALFORMED_KEY;
  // Who forwards may not know its own name in full: the sender is rewritten all the same.
  return parsed.alias ? maps.forward(parsed.sender, parsed.alias) : maps.forward(parsed.sender);
}

function forwardAnswer(outcome: RewritingOutcome): MapAnswer {
  if (outcome.ok)
    return outcome.rewritten && typeof outcome.sender !== "symbol"
      ? found(renderMailbox(outcome.sender))
      : notFound("a domain of ours");
  const isLater = outcome.reason === "not-kept" || outcome.reason === "no-room";
  return isLater ? { kind: "later", why: outcome.message } : unfit(outcome.message);
}

function found(value: string): MapAnswer {
  return { kind: "found", value };
}

function notFound(why: string): MapAnswer {
  return { kind: "not-found", why };
}

function unfit(why: string): MapAnswer {
  return { kind: "unfit", why };
}
