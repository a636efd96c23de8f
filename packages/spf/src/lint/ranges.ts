// Networks of a record: which of them lies in another, and how wide is too wide. Called by network-findings.ts.
import { parseAddress, readable, samePrefix } from "../ip.ts";
import type { Network } from "../record.ts";

export function contains(outer: Network, inner: Network): boolean {
  return (
    outer.octets.length === inner.octets.length &&
    outer.length <= inner.length &&
    samePrefix(outer.octets, inner.octets, outer.length)
  );
}

export function isSame(a: Network, b: Network): boolean {
  return a.length === b.length && contains(a, b);
}

export function networkOfAddress(address: string): Network | undefined {
  const octets = parseAddress(address);
  return octets && { octets, length: octets.length * 8 };
}

/** With the bits behind the prefix cleared. */
export function renderNetwork({ octets, length }: Network): string {
  const text = readable(octets.map((octet, index) => octet & mask(length - index * 8)));
  return length === octets.length * 8 ? text : `${text}/${length}`;
}

export function hasHostBits({ octets, length }: Network): boolean {
  return octets.some((octet, index) => (octet & ~mask(length - index * 8) & 255) !== 0);
}

/** Of one octet. @param bits of the prefix that are left for it */
function mask(bits: number): number {
  if (bits >= 8) return 255;
  return bits <= 0 ? 0 : (255 << (8 - bits)) & 255;
}

/** Nobody comes from there over the Internet: RFC 1918, RFC 1122, RFC 3927, RFC 4193, RFC 4291. */
const PRIVATE: readonly Network[] = [
  ["10.0.0.0", 8],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.168.0.0", 16],
  ["::1", 128],
  ["fc00::", 7],
  ["fe80::", 10],
].map(([address, length]) => ({
  octets: parseAddress(String(address)) ?? new Uint8Array(),
  length: Number(length),
}));

export function isPrivate(network: Network): boolean {
  return PRIVATE.some((outer) => contains(outer, network));
}

export type Width = "everybody" | "reckless" | "wide" | "narrow";

/** @param ip4 prefix lengths: /8 is the largest part that one owner ever got, /16 what a large one has; for IPv6 /32 is a provider */
export function widthOf(length: number, family: 4 | 6): Width {
  if (length === 0) return "everybody";
  if (length <= (family === 4 ? 8 : 16)) return "reckless";
  return length < (family === 4 ? 16 : 32) ? "wide" : "narrow";
}
