// `--dns`, as often as there are servers. Called by the commands that ask DNS.
import { isIP, isIPv4 } from "node:net";
import { type HostPort, parseHostPort } from "@homing/forwarder/host-port";
import { CommandFailure } from "./failure.ts";

const WRITE =
  "write system, or the IP address of a DNS server, such as 127.0.0.1, 127.0.0.1:5353 or [::1]:53";
const DNS_PORT = 53;

/** @returns none for `system` */
export function dnsServersOption(texts: readonly string[]): readonly HostPort[] {
  if (texts.length === 1 && texts[0] === "system") return [];
  return texts.map(parseServer);
}

function parseServer(text: string): HostPort {
  if (text === "system")
    throw new CommandFailure("usage", "--dns system stands alone: leave it out, or the other servers");
  const server = parseDnsServer(text);
  if (server) return server;
  throw new CommandFailure("usage", `--dns ${text}: ${WRITE}`);
}

/**
 * An IP address, IPv6 in brackets, with a port or without. A name would have to be looked up, and nobody answers on port 0.
 */
export function parseDnsServer(text: string): HostPort | undefined {
  const isAlone = isIPv4(text) || text.endsWith("]");
  const place = parseHostPort(isAlone ? `${text}:${DNS_PORT}` : text);
  return place && isIP(place.host) !== 0 && place.port > 0 ? place : undefined;
}
