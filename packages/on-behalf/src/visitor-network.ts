// The network that a visitor is of: what one visitor has for his own. As in packages/bounce-handler, which this package does
// not import. Called by messages/admissions.ts and identities/mail-link.ts.
import { isIP, isIPv6 } from "node:net";

/** An IPv4 address as it is; of an IPv6 address, the first 64 bits. Undefined where it is no address. */
export function visitorNetwork(text: string): string | undefined {
  // A zone is of this machine: no visitor has one.
  if (isIP(text) === 0 || text.includes("%")) return undefined;
  const address = text.toLowerCase();
  if (!isIPv6(address)) return address;
  const groups = groupsOf(address);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (isMapped) {
    const octets = groups.slice(6).flatMap((group) => [group >> 8, group & 0xff]);
    return octets.join(".");
  }
  const network = groups.slice(0, 4).map((group) => group.toString(16));
  return `${network.join(":")}::/64`;
}

/** All eight of a valid address. */
function groupsOf(address: string): readonly number[] {
  const [head = "", tail] = address.split("::");
  const before = numbersOf(head);
  const behind = numbersOf(tail ?? "");
  const gap = tail === undefined ? 0 : 8 - before.length - behind.length;
  return [...before, ...Array<number>(gap).fill(0), ...behind];
}

function numbersOf(text: string): readonly number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!group.includes(".")) return [Number.parseInt(group, 16)];
    // The last two groups, written as an IPv4 address.
    const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
    return [(a << 8) | b, (c << 8) | d];
  });
}
