// Which network a client is of, and whether a list names it. Called by the SMTP front, by receive.ts and by the hand-over.
import { type BlockList, isIPv6 } from "node:net";

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

/** An IPv4 address as it is; of an IPv6 address, the first 64 bits. */
export function networkOf(address: string): string {
  const [plain = ""] = address.toLowerCase().split("%");
  if (!isIPv6(plain)) return plain;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/.exec(plain)?.[1];
  if (mapped) return mapped;
  const [head = "", tail] = plain.split("::");
  const groups = head === "" ? [] : head.split(":");
  const behind = tail === undefined || tail === "" ? [] : tail.split(":");
  // The last group may be an IPv4 address, which is two.
  const length = groups.length + behind.length + (plain.includes(".") ? 1 : 0);
  const whole = tail === undefined ? groups : [...groups, ...Array(8 - length).fill("0"), ...behind];
  return `${whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(":")}::/64`;
}

/** The /24 of an IPv4 address, the /64 of an IPv6 address: the servers of one site are mostly there. */
export function siteOf(address: string): string {
  const network = networkOf(address);
  return network.includes(":") ? network : network.split(".").slice(0, 3).join(".");
}
