// The DNS client of the service before a DNS server of a test. Used by tests of whatever asks DNS.
import { randomInt } from "node:crypto";
import type { TestContext } from "node:test";
import { createDns, type Dns, type DnsOptions } from "../dns/dns.ts";
import { systemClock } from "../outbound/clock.ts";
import { startDnsServer, type Zone } from "./dns-server.ts";

/** Closed at the end of the test. */
export function openDns(t: TestContext, options: Partial<DnsOptions>): Dns {
  const dns = createDns({ clock: systemClock, newId: () => randomInt(65_536), ...options });
  t.after(() => dns.close());
  return dns;
}

export async function dnsOf(t: TestContext, zone: Zone): Promise<Dns> {
  const { place } = await startDnsServer(t, zone);
  return openDns(t, { servers: [place] });
}
