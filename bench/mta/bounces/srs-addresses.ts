// The SRS addresses that bounces come to: each of a sender of its own to one of 2,000 aliases, and none twice at a peer.
// Each peer gets the same pairs, signed as it signs. Called by main.ts for the aliases (bench:returns, too), and by offer.ts.
import { readTrace } from "@homing/mail";
import { createRewriter, type Mailbox, renderMailbox } from "@homing/srs-core";
import { createHeaderMarks } from "../../../packages/forwarder/src/header-mark.ts";
import { FORWARDING_DOMAIN, SECRET } from "../addresses.ts";
import { harakaSigner } from "../haraka-peer.ts";
import { BASE, type PeerName } from "../peer.ts";
import { NO_MARK, returnedHeader } from "./bounce-message.ts";

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
  const sign = signerOf(peer);
  let taken = 0;
  return {
    take(count) {
      const first = taken;
      taken += count;
      return Array.from({ length: count }, (_, more) => pair(sign, first + more));
    },
  };
}

/** @returns the SRS address of a sender whose mail came to an alias */
type Signer = (sender: Mailbox, alias: Mailbox) => string;

/** PostSRSd's tags are Mail::SRS's, and srs.js has its own; Homing's name the alias. */
function signerOf(peer: PeerName): Signer {
  if (peer === "haraka") return harakaSigner();
  const scheme = peer === BASE ? "classic" : "strong";
  const rewriter = createRewriter({ secrets: [SECRET], domain: FORWARDING_DOMAIN, scheme });
  return (sender, alias) => {
    const outcome = rewriter.forward(sender, Date.now() / 1000, { alias });
    if (!outcome.ok || !outcome.rewritten) throw new Error(`no SRS address: ${JSON.stringify(outcome)}`);
    return renderMailbox(outcome.sender);
  };
}

const marks = createHeaderMarks([SECRET]);

function pair(sign: Signer, nth: number): Pair {
  const bounced = {
    srsAddress: sign(sender(nth), alias(nth)),
    alias: renderMailbox(alias(nth)),
    target: target(nth),
    id: `returned-${nth}`,
    mark: NO_MARK,
  };
  const { identity } = readTrace(Buffer.from(returnedHeader(bounced), "latin1"), 100);
  return { ...bounced, mark: marks.mint(sender(nth), alias(nth), identity) };
}
