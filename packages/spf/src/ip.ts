// IP addresses as octets, and the two ways in which DNS and macros write them. Called by parse-record.ts, the evaluator
// and expand-macros.ts, and by whoever else asks DNS about an address.
import { isIPv4, isIPv6 } from "node:net";
import type { Network } from "./record.ts";

const DOT = 0x2e;
const ZERO = 0x30;
const HEX = "0123456789abcdef";

/** 4 or 16 octets; IPv4 in IPv6 clothes stays IPv6, as the terms of a record want it. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (isIPv4(text)) return octetsOfIp4(text);
  // A zone (`fe80::1%eth0`) is no part of an address.
  if (isIPv6(text) && !text.includes("%")) return octetsOfIp6(text);
  return undefined;
}

/** The client's: an IPv4-mapped address is IPv4 (§5), a zone is left off. */
export function parseClient(text: string): Uint8Array | undefined {
  const zone = text.indexOf("%");
  const octets = parseAddress(zone < 0 ? text : text.slice(0, zone));
  return octets !== undefined && isMapped(octets) ? octets.subarray(12) : octets;
}

export function sameOctets(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && samePrefix(a, b, a.length * 8);
}

/** Never true across the families. */
export function isInNetwork(octets: Uint8Array, network: Network): boolean {
  return octets.length === network.octets.length && samePrefix(octets, network.octets, network.length);
}

export function samePrefix(a: Uint8Array, b: Uint8Array, bits: number): boolean {
  const whole = bits >> 3;
  for (let index = 0; index < whole; index += 1) {
    if (a[index] !== b[index]) return false;
  }
  const rest = bits & 7;
  if (rest === 0) return true;
  const shift = 8 - rest;
  return (a[whole] ?? 0) >> shift === (b[whole] ?? 0) >> shift;
}

/** `192.0.2.1`, and for IPv6 its 32 nibbles with dots: `%{i}` (§7.3). */
export function dotted(octets: Uint8Array): string {
  return octets.length === 4 ? octets.join(".") : nibbles(octets).toUpperCase().split("").join(".");
}

/** `1.2.0.192`; of IPv6, its 32 nibbles with dots, the last one first (RFC 5782 §2.1, §2.4). */
export function reversedLabels(octets: Uint8Array): string {
  return octets.length === 4 ? octets.toReversed().join(".") : nibbles(octets).split("").reverse().join(".");
}

/** `1.2.0.192.in-addr.arpa` */
export function reverseName(octets: Uint8Array): string {
  return `${reversedLabels(octets)}.${octets.length === 4 ? "in-addr" : "ip6"}.arpa`;
}

/** As people write it (RFC 5952): `%{c}`. */
export function readable(octets: Uint8Array): string {
  if (octets.length === 4) return octets.join(".");
  return new URL(`http://[${nibbles(octets).replace(/.{4}(?=.)/g, "$&:")}]/`).hostname.slice(1, -1);
}

function nibbles(octets: Uint8Array): string {
  let text = "";
  for (const octet of octets) text += `${HEX[octet >> 4]}${HEX[octet & 15]}`;
  return text;
}

function octetsOfIp4(text: string): Uint8Array {
  const octets = new Uint8Array(4);
  let index = 0;
  let value = 0;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === DOT) {
      octets[index] = value;
      index += 1;
      value = 0;
    } else {
      value = value * 10 + code - ZERO;
    }
  }
  octets[3] = value;
  return octets;
}

/** @param text that isIPv6 took */
function octetsOfIp6(text: string): Uint8Array {
  const octets = new Uint8Array(16);
  const gap = text.indexOf("::");
  const head = groups(gap < 0 ? text : text.slice(0, gap));
  const tail = gap < 0 ? [] : groups(text.slice(gap + 2));
  octets.set(head);
  octets.set(tail, 16 - tail.length);
  return octets;
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return [...octetsOfIp4(group)];
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
}

function isMapped(octets: Uint8Array): boolean {
  if (octets.length !== 16 || octets[10] !== 0xff || octets[11] !== 0xff) return false;
  return octets.subarray(0, 10).every((octet) => octet === 0);
}
