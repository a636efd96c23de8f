// IP addresses as octets, and as DNS has them: for reverse look-ups and DNS lists. Called by the files in this folder and by
// dns-lists.ts.
import { isIPv4, isIPv6 } from "node:net";

/** 4 or 16 octets. An IPv4 address in IPv6 clothes is IPv4; a zone is left off. Undefined: no address. */
export function addressOctets(text: string): Uint8Array | undefined {
  const [plain = ""] = text.split("%");
  if (isIPv4(plain)) return Uint8Array.from(plain.split(".").map(Number));
  if (!isIPv6(plain)) return undefined;
  const octets = Uint8Array.from(groupsOf(plain).flatMap((group) => [group >> 8, group & 0xff]));
  return isMapped(octets) ? octets.subarray(12) : octets;
}

/** Eight numbers. The URL parser writes the IPv4 address at the end of one as two groups. */
function groupsOf(address: string): readonly number[] {
  const [head = "", tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split("::");
  const before = numbers(head);
  const behind = numbers(tail ?? "");
  return [...before, ...Array<number>(8 - before.length - behind.length).fill(0), ...behind];
}

function numbers(groups: string): readonly number[] {
  return groups === "" ? [] : groups.split(":").map((group) => Number.parseInt(group, 16));
}

/** ::ffff:0:0/96 (RFC 4291 §2.5.5.2). */
function isMapped(octets: Uint8Array): boolean {
  return octets.subarray(0, 10).every((octet) => octet === 0) && octets[10] === 0xff && octets[11] === 0xff;
}

/** `1.2.0.192`; of IPv6, its 32 nibbles with dots, the last one first (RFC 5782 §2.1, §2.4). */
export function reversedLabels(octets: Uint8Array): string {
  if (octets.length === 4) return octets.toReversed().join(".");
  return Buffer.from(octets).toString("hex").split("").reverse().join(".");
}

export function reverseName(octets: Uint8Array): string {
  return `${reversedLabels(octets)}.${octets.length === 4 ? "in-addr" : "ip6"}.arpa`;
}

export function sameAddress(one: string, other: string): boolean {
  const [a, b] = [addressOctets(one), addressOctets(other)];
  return a !== undefined && b !== undefined && Buffer.compare(a, b) === 0;
}
