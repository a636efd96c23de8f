// The real world for a forwarder: clock, DNS, randomness. The command line is the only place that has them.
import { createMxResolver, createTxtLookup, type Report, systemClock, type World } from "@homing/forwarder";
import nacl from "tweetnacl";
import { unixNow } from "./time.ts";

/** @param stopped ends every delivery that is under way, when the process has to go */
export function systemWorld(report: Report, stopped?: AbortSignal): World {
  return {
    now: unixNow,
    newId: randomId,
    random: Math.random,
    clock: systemClock,
    timeLimit: (seconds) => (stopped ? AbortSignal.any([timeLimit(seconds), stopped]) : timeLimit(seconds)),
    resolver: createMxResolver(),
    txt: createTxtLookup(),
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

/** A key for one run of the service: 256 bits. */
export function randomKey(): Buffer {
  return Buffer.from(nacl.randomBytes(32));
}
