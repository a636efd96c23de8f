// The SRS domains of a server: usually one, others for domains that have their own, and return domains, whose SRS addresses are
// of mail that was sent from here for somebody. Called by forwarder.ts.
import { asciiLower, type Rewriter } from "@homing/srs-core";

export interface SrsDomains {
  /** Rewrites the senders of mail to recipients of this domain of ours. */
  forRecipientsAt(domain: string): Rewriter;
  /** Verifies the addresses at this SRS domain; undefined where it is none of ours. */
  at(domain: string): Rewriter | undefined;
  /** Is it a domain for what returns of mail that was sent from here? No alias is behind its addresses. */
  isReturnDomain(domain: string): boolean;
}

/**
 * @param others by recipient domain, in lower case
 * @param returns one for each return domain, which is no other SRS domain
 */
export function createSrsDomains(
  usual: Rewriter,
  others: ReadonlyMap<string, Rewriter>,
  returns: readonly Rewriter[] = [],
): SrsDomains {
  const forwards = new Map([usual, ...others.values()].map((one) => [asciiLower(one.domain), one]));
  const ofReturns = new Map(returns.map((one) => [asciiLower(one.domain), one]));
  for (const domain of ofReturns.keys())
    if (forwards.has(domain))
      throw new RangeError(`${domain}: a return domain must not be the SRS domain of mail that is forwarded`);
  const bySrsDomain = new Map([...forwards, ...ofReturns]);
  return {
    isReturnDomain: (domain) => ofReturns.has(asciiLower(domain)),
    forRecipientsAt: (domain) => others.get(asciiLower(domain)) ?? usual,
    at: (domain) => bySrsDomain.get(asciiLower(domain)),
  };
}
