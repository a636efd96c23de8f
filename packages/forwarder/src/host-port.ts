// A server to connect to or an address to listen on, as `host:port`. Called wherever one is read, used or told.
import { isIP, isIPv6 } from "node:net";
import { parseDomain } from "@homing/srs-core";

export interface HostPort {
  /** A domain name or an IP address, IPv6 without brackets. */
  readonly host: string;
  /** 0–65535; 0 lets the system choose where something listens. */
  readonly port: number;
}

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+)):(\d{1,5})$/;
const MAX_PORT = 65_535;

/** Reads `host:port` or `[ipv6]:port`; undefined where the text is neither. */
export function parseHostPort(text: string): HostPort | undefined {
  const [, literal, name, digits] = HOST_PORT.exec(text) ?? [];
  const host = literal ?? name;
  const port = Number(digits);
  if (host === undefined || port > MAX_PORT) return undefined;
  if (literal !== undefined && !isIPv6(literal)) return undefined;
  return isIP(host) > 0 || parseDomain(host).ok ? { host, port } : undefined;
}

export function renderHostPort({ host, port }: HostPort): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}
