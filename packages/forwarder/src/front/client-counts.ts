// Connections of each client network at the same time: one address is one IPv4 address or one IPv6 /64, the smallest
// network that a customer gets. Called by smtp-in.ts when a client comes and goes.
import { type BlockList, isIPv6 } from "node:net";

export interface ClientCounts {
  /** Counts the client in. `undefined` if its network has its share; else to be called when it has gone. */
  enter(address: string): (() => void) | undefined;
}

/** @param limit 0 is no limit */
export function createClientCounts(limit: number, exempt: BlockList | undefined): ClientCounts {
  const counts = new Map<string, number>();
  return {
    enter(address) {
      if (limit === 0 || isListed(exempt, address)) return () => {};
      const network = networkOf(address);
      const count = counts.get(network) ?? 0;
      if (count >= limit) return undefined;
      counts.set(network, count + 1);
      let left = false;
      return () => {
        if (left) return;
        left = true;
        const rest = (counts.get(network) ?? 1) - 1;
        if (rest === 0) counts.delete(network);
        else counts.set(network, rest);
      };
    },
  };
}

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
