// Which counts a message is in, and what is said where one is full. Called by admissions.ts.
import { createHash } from "node:crypto";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import { personKey } from "../address-key.ts";
import type { Site } from "../site.ts";
import type { Count } from "./counters.ts";

export interface Counted {
  readonly site: Site;
  /** In whose name; of `on-behalf`. */
  readonly user: Mailbox | undefined;
  readonly recipients: readonly Mailbox[];
  /** Of the browser: `visitorNetwork`. */
  readonly network: string | undefined;
}

/** Narrowest first: the answer names the first that is full. */
export function countsOf({ site, user, recipients, network }: Counted): readonly Count[] {
  const { name, limits } = site;
  return [
    ...(user ? [ofUser(site, user)] : []),
    ...recipients.map((recipient, place) => ofRecipient(site, recipient, place)),
    ...(network === undefined ? [] : [ofVisitor(site, network)]),
    {
      key: `site ${name}`,
      limit: limits.sitePerDay,
      problem: "limit-site",
      detail: `${name} may send ${limits.sitePerDay} messages in 24 hours`,
    },
  ];
}

function ofUser({ name, limits }: Site, user: Mailbox): Count {
  return {
    key: `user ${name} ${personKey(user)}`,
    limit: limits.userPerDay,
    problem: "limit-user",
    detail: `a user may send ${limits.userPerDay} messages in 24 hours`,
    field: "onBehalfOf",
  };
}

function ofRecipient({ name, limits }: Site, recipient: Mailbox, place: number): Count {
  return {
    key: `recipient ${name} ${personKey(recipient)}`,
    limit: limits.recipientPerDay,
    problem: "limit-recipient",
    detail: `${renderMailbox(recipient)} may have ${limits.recipientPerDay} messages of this site in 24 hours`,
    field: `to[${place}]`,
  };
}

/** Addresses of visitors are not kept: a hash is enough to count. */
function ofVisitor({ name, limits }: Site, network: string): Count {
  return {
    key: `visitor ${name} ${createHash("sha256").update(`${name} ${network}`).digest("base64url")}`,
    limit: limits.visitorPerDay,
    problem: "limit-visitor",
    detail: `one visitor may send ${limits.visitorPerDay} messages in 24 hours`,
    field: "visitorIp",
  };
}
