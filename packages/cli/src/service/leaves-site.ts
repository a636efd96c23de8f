// Which mail leaves the site, as far as the tables tell: for the milter, which sees recipients before the mail server follows
// its aliases. Called by adapters/.
import type { UserForwards } from "@homing/forwarder";
import { followUsers, isOurs, type Tables } from "@homing/forwarder/tables";
import type { LeavesSite, OwnDomains } from "@homing/mta-adapters";
import { asciiLower, type Mailbox } from "@homing/srs-core";

export interface LeavesSiteOptions {
  /** Asked for each recipient: a reload swaps them. */
  readonly tables: () => Tables;
  readonly ownDomains: () => OwnDomains;
  /** Users' .forward files; without it, nobody is taken to have one. */
  readonly forwards?: UserForwards | undefined;
}

export function createLeavesSite({ tables, ownDomains, forwards }: LeavesSiteOptions): LeavesSite {
  const isElsewhere = ({ domain }: Mailbox): boolean => {
    const { rules } = tables();
    return !isOurs(rules, domain) && !rules.ownNames.has(asciiLower(domain)) && !ownDomains().has(domain);
  };
  /** Of our host name, too: the mail server's aliases are there as they are at its domain. */
  const atOurDomain = (recipient: Mailbox): Mailbox => {
    const { rules } = tables();
    const [domain] = rules.nameDomains.size > 0 ? rules.nameDomains : rules.domains;
    const isOwnName = rules.ownNames.has(asciiLower(recipient.domain)) && !isOurs(rules, recipient.domain);
    return isOwnName && domain !== undefined ? { ...recipient, domain } : recipient;
  };
  return async (recipient) => {
    // A route of old (user%domain, domain!user): the mail server may follow it, wherever it leads.
    if (/[%!]/.test(recipient.localPart)) return "unknown";
    if (isElsewhere(recipient)) return "leaves";
    const followed = await followUsers(tables(), atOurDomain(recipient), forwards);
    switch (followed.kind) {
      case "destinations":
        return followed.destinations.some(({ mailbox }) => isElsewhere(mailbox)) ? "leaves" : "stays";
      // In no table: the mail server has a mailbox of that name, or refuses it.
      case "unknown":
      case "not-ours":
      case "discard":
        return "stays";
      // A .forward file that could not be read, or a mistake that the mail server may read differently.
      case "refuse":
      case "nowhere":
        return "unknown";
    }
  };
}
