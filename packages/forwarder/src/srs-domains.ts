// The SRS domains of a server: usually one, and others for domains that have their own. Called by forwarder.ts.
import { asciiLower, type Rewriter } from "@homing/srs-core";

export interface SrsDomains {
  /** Rewrites the senders of mail to recipients of this domain of ours. */
  forRecipientsAt(domain: string): Rewriter;
  /** Verifies the addresses at this SRS domain; undefined where it is none of ours. */
  at(domain: string): Rewriter | undefined;
}

/** @param others by recipient domain, in lower case */
export function createSrsDomains(usual: Rewriter, others: ReadonlyMap<string, Rewriter>): SrsDomains {
  const bySrsDomain = new Map([usual, ...others.values()].map((one) => [asciiLower(one.domain), one]));
  return {
    forRecipientsAt: (domain) => others.get(asciiLower(domain)) ?? usual,
    at: (domain) => bySrsDomain.get(asciiLower(domain)),
  };
}
