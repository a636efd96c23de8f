// The real world for a forwarder: clock, DNS, randomness. The command line is the only place that has them.
import { createMxResolver, type Report, type World } from "@homing/forwarder";
import nacl from "tweetnacl";
import { unixNow } from "./time.ts";

export function systemWorld(report: Report): World {
  return {
    now: unixNow,
    newId: randomId,
    random: Math.random,
    timeLimit,
    resolver: createMxResolver(),
    report,
  };
}

function timeLimit(seconds: number): AbortSignal {
  return AbortSignal.timeout(seconds * 1000);
}

/** 80 bits: no two messages of a site share an id. */
export function randomId(): string {
  return Buffer.from(nacl.randomBytes(10)).toString("hex");
}

/** A secret for one run of `homing local`: 192 bits. */
export function randomSecret(): string {
  return Buffer.from(nacl.randomBytes(24)).toString("base64");
}
