// The maps that rewrite: envelope senders out (`forward`), SRS recipients back (`reverse`), and which SRS recipients and
// senders are to be refused (`reject`, `reject-sender`). Every protocol that looks keys up asks these; the names of the first two are PostSRSd's.
import type { BounceGate } from "@homing/bounce-handler";
import { NOT_A_BOUNCE, TOO_MANY_GUESSES } from "@homing/bounce-handler";
import { renderReply } from "@homing/mail";
import {
  type Mailbox,
  parseMailbox,
  parseReversePath,
  type Rewriter,
  renderMailbox,
  type UnixSeconds,
} from "@homing/srs-core";
import { forgedSender } from "../senders/forged-sender.ts";
import type { LookUp, MapAnswer } from "./map-answer.ts";
import type { OwnDomains } from "./own-domains.ts";

export interface SrsMapsOptions {
  readonly rewriter: Rewriter;
  /** Knows the SRS domains, verifies, and holds guessers back. */
  readonly gate: BounceGate;
  /** Asked at each look-up: a file of domains may change. */
  readonly ownDomains: () => OwnDomains;
  readonly now: () => UnixSeconds;
}

export interface SrsMaps {
  /** The map `forward`. @param alias that the mail came for: strong tags name it, so that a bounce can be told in its terms */
  forward(sender: string, alias?: Mailbox): MapAnswer;
  /** The map `reverse`: takes one layer off. */
  reverse(recipient: string): MapAnswer;
  /** The map `reject`: an access(5) action for a recipient at an SRS domain whose bounce is not to be taken. */
  reject(recipient: string): MapAnswer;
  /** The map `reject-sender`: the same for a sender at an SRS domain who was not made here. Not for users of the site. */
  rejectSender(sender: string): MapAnswer;
  /** By the map's name, as it comes over the wire. `forward-alias` has the key `ALIAS SENDER`. */
  readonly lookUp: LookUp;
}

/** Postfix asks for the null sender so (canonical(5)). */
const NULL_SENDERS = ["", "<>", '""'];
/** Through a map come the guesses of everybody: they are counted together (undefined: a server of our own). */
const EVERYBODY = undefined;

export function createSrsMaps({ rewriter, gate, ownDomains, now }: SrsMapsOptions): SrsMaps {
  const maps: Omit<SrsMaps, "lookUp"> = {
    forward(sender, alias) {
      if (NULL_SENDERS.includes(sender)) return notFound("the null sender stays as it is");
      const parsed = parseMailbox(sender);
      if (!parsed.ok) return notFound(parsed.message);
      const { mailbox } = parsed;
      if (ownDomains().has(mailbox.domain)) return notFound("a domain of ours");
      const outcome = rewriter.forward(mailbox, now(), alias ? { alias } : {});
      if (!outcome.ok) return notFound(outcome.message);
      return outcome.rewritten ? found(renderMailbox(outcome.sender)) : notFound("a domain of ours");
    },

    reverse(recipient) {
      const parsed = parseMailbox(recipient);
      if (!parsed.ok || !gate.judges(parsed.mailbox)) return notFound("no SRS address of ours");
      const outcome = gate.reverse(parsed.mailbox, { now: now(), network: EVERYBODY });
      if (outcome === "too-many-guesses") return { kind: "later", why: TOO_MANY_GUESSES.text };
      return outcome.ok ? found(renderMailbox(outcome.address)) : notFound(NOT_A_BOUNCE.text);
    },

    reject(recipient) {
      const parsed = parseMailbox(recipient);
      if (!parsed.ok || !gate.judges(parsed.mailbox)) return notFound("no SRS address of ours");
      const outcome = gate.reverse(parsed.mailbox, { now: now(), network: EVERYBODY });
      if (outcome === "too-many-guesses") return found(renderReply(TOO_MANY_GUESSES));
      return outcome.ok ? notFound("its tag is good") : found(renderReply(NOT_A_BOUNCE));
    },

    rejectSender(sender) {
      const parsed = parseReversePath(NULL_SENDERS.includes(sender) ? "" : sender);
      if (!parsed.ok) return notFound(parsed.message);
      const forged = forgedSender(gate, parsed.reversePath, { now: now(), network: EVERYBODY });
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
          return {
            kind: "wrong",
            why: "there is no such map: ask for forward, reverse, reject or reject-sender",
          };
      }
    },
  };
}

function forwardAlias(maps: Pick<SrsMaps, "forward">, key: string): MapAnswer {
  const space = key.indexOf(" ");
  const alias = parseMailbox(key.slice(0, Math.max(space, 0)));
  const sender = key.slice(space + 1);
  // Who forwards may not know its own name in full: the sender is rewritten all the same.
  return alias.ok ? maps.forward(sender, alias.mailbox) : maps.forward(sender);
}

function found(value: string): MapAnswer {
  return { kind: "found", value };
}

function notFound(why: string): MapAnswer {
  return { kind: "not-found", why };
}
