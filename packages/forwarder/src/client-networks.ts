// Which network a client is of, and whether a list names it. Called by the SMTP front, by receive.ts and by the hand-over.
import type { BlockList } from "node:net";
import { networkOf } from "@homing/bounce-handler/gate";

/** Of each list, addresses that were asked before: the check itself costs several microseconds, and lists do not change. */
const known = new WeakMap<BlockList, Map<string, boolean>>();
const MAX_KNOWN = 10_000;

export function isListed(list: BlockList | undefined, address: string | undefined): boolean {
  if (!list || !address) return false;
  const answers = known.get(list) ?? new Map<string, boolean>();
  const before = answers.get(address);
  if (before !== undefined) return before;
  const listed = list.check(address, address.includes(":") ? "ipv6" : "ipv4");
  if (answers.size >= MAX_KNOWN) answers.clear();
  answers.set(address, listed);
  known.set(list, answers);
  return listed;
}

/** The /24 of an IPv4 address, the /64 of an IPv6 address: the servers of one site are mostly there. */
export function siteOf(address: string): string {
  const network = networkOf(address);
  return network.includes(":") ? network : network.split(".").slice(0, 3).join(".");
}

/**
 * Who may be one customer of a provider: the site, and of IPv6 the /48, as much as one end site is mostly given (RFC 6177). By
 * /64 he would be 65,536. Also of a network as `networkOf` and `siteOf` write it.
 */
export function customerOf(address: string): string {
  const site = siteOf(address);
  return site.includes(":") ? site.split(":").slice(0, 3).join(":") : site;
}
