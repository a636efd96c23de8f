// Addresses at our bounce domains that were made for bounces: SRS addresses, and nobody@, whose mail is eaten. No person reads
// there. Called by whatever takes an address from a site, and by messages/returns.ts.
import { asciiLower, looksLikeSrs, type Mailbox, renderMailbox } from "@homing/srs-core";
import type { Sites } from "./on-behalf.ts";
import { type Refused, refused } from "./problem.ts";

/** Bounces to it are eaten. */
export const NOBODY = "nobody";

type Domains = Pick<Sites, "ofBounceDomain">;

export function isNobody(sites: Domains, { localPart, domain }: Mailbox): boolean {
  return asciiLower(localPart) === NOBODY && sites.ofBounceDomain(domain) !== undefined;
}

export function isOwnReturnPath(sites: Domains, mailbox: Mailbox): boolean {
  const isSrs = looksLikeSrs(mailbox.localPart) && sites.ofBounceDomain(mailbox.domain) !== undefined;
  return isSrs || isNobody(sites, mailbox);
}

/** Undefined where a person may read there. @param field of the request */
export function checkReader(sites: Domains, mailbox: Mailbox, field: string): Refused | undefined {
  if (!isOwnReturnPath(sites, mailbox)) return undefined;
  return refused(
    "invalid-field",
    `${renderMailbox(mailbox)} is a return path made here: no person reads there`,
    {
      field,
      hint: "give the address of a person, as he gave it to the site",
    },
  );
}
