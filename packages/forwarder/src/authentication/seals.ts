// What the seals of a message are worth to whoever trusts their sealers (RFC 8617 §4.1). Called by check-message.ts.
import { readResults } from "@homing/mail";
import type { TrustedSeal } from "../trust/trusted-forwarders.ts";
import type { ArcSeal, ContentResults } from "./results.ts";

/** A seal says that the message is as it was, and not that it was good: what its sealer had found says that. */
export function sealsOf({ arc, dmarc, headerFrom }: ContentResults): readonly TrustedSeal[] {
  // With several authors, nobody knows about which of them he spoke.
  if (arc.result !== "pass" || headerFrom.kind !== "domain") return [];
  return arc.seals.map(({ domain, found }) => ({ domain, isGood: isGood(found, dmarc.result === "fail") }));
}

/** `bestguesspass` is what Microsoft writes where there is no record, and SPF is aligned. */
const NO_RECORD: ReadonlySet<string> = new Set(["none", "bestguesspass"]);
/** A signature of anybody's is none of the author's. */
const METHODS: ReadonlySet<string> = new Set(["dmarc", "spf"]);

/** Words of the sender stand in it, too: what cannot be read is not good, and of several results of DMARC none may be bad. */
function isGood(found: string, failsHere: boolean): boolean {
  const results = readResults(found) ?? [];
  const dmarc = results.filter(({ method, result }) => method === "dmarc" && !NO_RECORD.has(result));
  const isAuthors = dmarc.length === 0 ? !failsHere : dmarc.every(({ result }) => result === "pass");
  return isAuthors && results.some(({ method, result }) => METHODS.has(method) && result === "pass");
}

/** As if the chain had passed, and all had found the message good. */
export function asGood(seals: readonly ArcSeal[]): readonly TrustedSeal[] {
  return seals.map(({ domain }) => ({ domain, isGood: true }));
}
