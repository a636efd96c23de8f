// The network that a client is of: what one guesser, or one site, has for its own. Called by whoever counts by client: the
// gate's callers for its guess budget, the SMTP front for its connections.
import { isIPv6 } from "node:net";

/** An IPv4 address as it is; of an IPv6 address, the first 64 bits: whoever has one address there has all of them. */
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
