// The real DNS: of the service, and of a command that asks. Called by system-world.ts and by commands with --dns.
import { randomInt } from "node:crypto";
import type { HostPort } from "@homing/forwarder";
import { createDns, type Dns, systemClock } from "@homing/forwarder/dns";

const IDS = 65_536;

/** @param servers none: the system's */
export function systemDns(servers: readonly HostPort[] = []): Dns {
  return createDns({ servers, clock: systemClock, newId: () => randomInt(IDS) });
}
