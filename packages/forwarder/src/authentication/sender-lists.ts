// Do the DNS lists of a recipient's domain name the client, or the sender's domain? Called by sender-check.ts and, for who came
// to a relay of ours, by check-message.ts. RFC 5782.
import type { Reply } from "@homing/mail";
import { asciiLower, NULL_PATH, type ReversePath } from "@homing/srs-core";
import type { AuthenticationOptions } from "./authentication.ts";
import type { ListFault } from "./policy.ts";
import { listedReply } from "./refusals.ts";
import type { AuthenticationPolicy } from "./settings.ts";

export interface ListedSender {
  readonly reason: ListFault;
  readonly reply: Reply;
}

/** All at once: a list that is silent costs its time, and not that of those behind it. The first in their order is told. */
export async function listedBy(
  { lists }: Pick<AuthenticationOptions, "lists">,
  { dnsbl, rhsbl }: AuthenticationPolicy,
  address: string,
  reversePath: ReversePath,
): Promise<ListedSender | undefined> {
  const ofClient = dnsbl.map(async (zone): Promise<ListedSender | undefined> => {
    const listed = await lists.client(zone, address);
    return listed && { reason: "dnsbl", reply: listedReply({ what: address, zone, ...listed }) };
  });
  const domain = reversePath === NULL_PATH ? undefined : asciiLower(reversePath.domain);
  const ofDomain = rhsbl.map(async (zone): Promise<ListedSender | undefined> => {
    const listed = domain === undefined ? undefined : await lists.domain(zone, domain);
    return listed && { reason: "rhsbl", reply: listedReply({ what: domain ?? "", zone, ...listed }) };
  });
  return (await Promise.all([...ofClient, ...ofDomain])).find((listed) => listed !== undefined);
}

/** DNS does not say whether the client is one whom we trust: it may, when it comes again. */
export function deferred({ reason, reply }: ListedSender): ListedSender {
  return { reason, reply: { ...reply, code: 451, enhanced: "4.7.1" } };
}
