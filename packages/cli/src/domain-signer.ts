// DKIM for mail of our own people and sites: signed by the keys of the domain that stands in From, so that DMARC of it passes.
// Called by submission.ts and on-behalf/sites.ts.
import type { SignFor } from "@homing/forwarder";
import { createMessageSigner, type DkimKey, NOT_SIGNED, type SignMessage } from "@homing/forwarder/settings";
import { asciiLower } from "@homing/srs-core";
import { isAligned } from "./config/dkim-keys.ts";

/**
 * Without a key of the domain or above it, mail goes unsigned: SPF may suffice, and some smart hosts sign.
 * @param further fields that are signed, too: nobody may add one on top then
 */
export function createDomainSigner(
  keys: readonly DkimKey[],
  now: () => number,
  further: readonly string[] = [],
): SignFor {
  const signers = new Map<string, SignMessage>();
  const signerOf = (domain: string): SignMessage => {
    const own = keys.filter((key) => isAligned(key.domain, domain));
    const name = own.map((key) => `${key.selector}.${key.domain}`).join(" ");
    const known = signers.get(name);
    if (known) return known;
    const made = own.length > 0 ? createMessageSigner(own, now, further) : NOT_SIGNED;
    signers.set(name, made);
    return made;
  };
  return (message, fromDomain) => signerOf(asciiLower(fromDomain))(message);
}
