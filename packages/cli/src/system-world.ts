// The real world for a forwarder: clock, DNS, randomness. The command line is the only place that has them.
import type { Report, World } from "@homing/forwarder";
import { type Dns, mxResolver, systemClock, txtLookup } from "@homing/forwarder/dns";
import nacl from "tweetnacl";
import { systemDns } from "./system-dns.ts";
import { unixNow } from "./time.ts";
import { createTimeLimits } from "./time-limits.ts";

/**
 * @param stopped ends every delivery that is under way, when the process has to go, and what is asked of DNS
 * @param dns one for the whole service, so that one cache serves it
 */
export function systemWorld(report: Report, stopped?: AbortSignal, dns: Dns = systemDns()): World {
  // A server that is silent would keep the process for half a minute.
  stopped?.addEventListener("abort", () => dns.close(), { once: true });
  return {
    now: unixNow,
    newId: randomId,
    random: systemRandom,
    clock: systemClock,
    timeLimit: createTimeLimits(() => performance.now(), stopped),
    dns,
    resolver: mxResolver(dns),
    txt: txtLookup(dns),
    report,
  };
}

/** From 0 to below 1; nothing that anybody must not guess hangs on it. */
export const systemRandom: () => number = Math.random;

const ID_OCTETS = 10;
/** Drawn in one call for many ids: the call costs more than the octets. */
const IDS_AT_A_TIME = 256;
let drawn = Buffer.alloc(0);

/** 80 bits: no two messages of a site share an id. */
export function randomId(): string {
  if (drawn.length === 0) drawn = Buffer.from(nacl.randomBytes(ID_OCTETS * IDS_AT_A_TIME));
  const id = drawn.toString("hex", 0, ID_OCTETS);
  drawn = drawn.subarray(ID_OCTETS);
  return id;
}

/** A secret for one run of `homing local`: 192 bits. */
export function randomSecret(): string {
  return Buffer.from(nacl.randomBytes(24)).toString("base64");
}

/** For links and names that nobody may guess: 144 bits, base64url. */
export function randomSecretId(): string {
  return Buffer.from(nacl.randomBytes(18)).toString("base64url");
}

/** A key for one run of the service: 256 bits. */
export function randomKey(): Buffer {
  return Buffer.from(nacl.randomBytes(32));
}
