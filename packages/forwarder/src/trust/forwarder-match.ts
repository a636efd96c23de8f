// What an entry of the trusted forwarders names: a network, a host, a domain's hosts, an ARC sealer. Called by
// forwarder-file.ts.
import { isIP } from "node:net";
import { parseClient } from "@homing/spf";
import { asciiLower, parseDomain, printable } from "@homing/srs-core";
import type { ForwarderMatch, NamePattern } from "./trust-entry.ts";

const SEALER = "arc:";
const BELOW = "*.";
/** Beyond it is a part of the Internet, not somebody's network. */
const WIDEST = { 4: 8, 6: 16 } as const;
const EXAMPLES = "write 192.0.2.0/24, mail.example.org, *.example.org or arc:example.org";

/** @returns a string says what is wrong */
export function parseMatch(text: string): ForwarderMatch | string {
  if (text.toLowerCase().startsWith(SEALER)) {
    const pattern = parsePattern(text.slice(SEALER.length));
    return typeof pattern === "string" ? pattern : { kind: "sealer", ...pattern };
  }
  const [address = "", bits, ...more] = text.split("/");
  if (isIP(address) !== 0 || bits !== undefined) {
    if (more.length > 0 || isIP(address) === 0 || address.includes("%")) return noMatch(text);
    return parseNetwork(text, address, bits);
  }
  const pattern = parsePattern(text);
  return typeof pattern === "string" ? pattern : { kind: "host", ...pattern };
}

function parseNetwork(text: string, address: string, bits: string | undefined): ForwarderMatch | string {
  const family = isIP(address) === 6 ? 6 : 4;
  const most = family === 6 ? 128 : 32;
  const length = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : most + 1;
  if (length > most) return `"${printable(text)}" has no length from 0 to ${most} behind the "/": correct it`;
  if (length < WIDEST[family])
    return `"${text}" is a part of the Internet, not a forwarder's network: write /${WIDEST[family]} or more`;
  const octets = parseClient(address);
  if (!octets || octets.length !== most / 8)
    return `"${text}" is an IPv4 address in IPv6: write the IPv4 address`;
  if (hasBitsBehind(octets, length))
    return `"${text}" has bits behind its first ${length}: write the network's own address, or no "/${length}"`;
  return { kind: "network", network: asciiLower(text) };
}

function hasBitsBehind(octets: Uint8Array, length: number): boolean {
  return octets.some((octet, index) => {
    const kept = Math.min(Math.max(length - index * 8, 0), 8);
    return (octet & (0xff >> kept)) !== 0;
  });
}

function parsePattern(text: string): NamePattern | string {
  const isBelow = text.startsWith(BELOW);
  const parsed = parseDomain(isBelow ? text.slice(BELOW.length) : text);
  if (!parsed.ok || parsed.domain.startsWith("[") || /^[\d.]+$/.test(parsed.domain)) return noMatch(text);
  const name = asciiLower(parsed.domain);
  if (!name.includes("."))
    return `"${printable(text)}" has one label, as a top-level domain: write the whole name`;
  return { name, isBelow };
}

function noMatch(text: string): string {
  return `"${printable(text)}" is no network, host name or ARC sealer: ${EXAMPLES}`;
}
