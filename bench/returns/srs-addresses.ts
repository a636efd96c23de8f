// The SRS addresses that bounces come to: each of a sender of its own to one of 2,000 aliases, and none twice at a peer.
// Each peer gets the same pairs, signed as it signs. Called by main.ts for the aliases, and by offer.ts.
import { readTrace } from "@homing/mail";
import { createRewriter, type Mailbox, type Rewriter, renderMailbox } from "@homing/srs-core";
import { createHeaderMarks } from "../../packages/forwarder/src/header-mark.ts";
import { FORWARDING_DOMAIN, SECRET } from "../mta/addresses.ts";
import { NO_MARK, returnedHeader } from "../mta/bounce-message.ts";
import { BASE, type PeerName } from "../mta/peer.ts";

export interface Pair {
  readonly srsAddress: string;
  readonly alias: string;
  readonly target: string;
  /** The local part of the message's Message-ID. */
  readonly id: string;
  /** As Homing marked the message's header when it forwarded it. */
  readonly mark: string;
}

/** Aliases of a site of some size. */
const ALIASES = 2000;

const alias = (nth: number): Mailbox => ({
  localPart: `user${nth % ALIASES}`,
  domain: FORWARDING_DOMAIN,
});
const target = (nth: number): string => `private${nth % ALIASES}@dest.example`;
/** Bounces come home to the counting sink. */
const sender = (nth: number): Mailbox => ({
  localPart: `sender${nth}`,
  domain: "origin.example",
});

export const RETURN_ALIASES = Array.from({ length: ALIASES }, (_, nth) => ({
  address: renderMailbox(alias(nth)),
  target: target(nth),
}));

export interface SrsAddresses {
  /** The next ones. */
  take(count: number): Pair[];
}

export function srsAddressesOf(peer: PeerName): SrsAddresses {
  const rewriter = rewriterOf(peer);
  let taken = 0;
  return {
    take(count) {
      const now = Date.now() / 1000;
      const first = taken;
      taken += count;
      return Array.from({ length: count }, (_, more) => pair(rewriter, first + more, now));
    },
  };
}

/** PostSRSd's tags are Mail::SRS's; Homing's are its own, and name the alias. */
function rewriterOf(peer: PeerName): Rewriter {
  const scheme = peer === BASE ? "classic" : "strong";
  return createRewriter({ secrets: [SECRET], domain: FORWARDING_DOMAIN, scheme });
}

const marks = createHeaderMarks([SECRET]);

function pair(rewriter: Rewriter, nth: number, now: number): Pair {
  const outcome = rewriter.forward(sender(nth), now, { alias: alias(nth) });
  if (!outcome.ok || !outcome.rewritten) throw new Error(`no SRS address: ${JSON.stringify(outcome)}`);
  const bounced = {
    srsAddress: renderMailbox(outcome.sender),
    alias: renderMailbox(alias(nth)),
    target: target(nth),
    id: `returned-${nth}`,
    mark: NO_MARK,
  };
  const { identity } = readTrace(Buffer.from(returnedHeader(bounced), "latin1"), 100);
  return { ...bounced, mark: marks.mint(sender(nth), alias(nth), identity) };
}
