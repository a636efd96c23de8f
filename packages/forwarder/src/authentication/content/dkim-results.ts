// One DKIM signature, from what the library says to what we make of it (RFC 8601 §2.7.1): a good signature is not enough
// where it leaves out some of the body, or its time is over. Called by check-content.ts.
import type { DkimResult } from "../results.ts";
import { domainText, reasonText } from "./hostile-text.ts";
import type { VerifiedSignature } from "./library.ts";

/** RFC 6008 §4: so many that no two are the same by chance. */
const SIGNATURE_START = 8;
const MAX_ALGORITHM = 32;

/** The library's words where the key or the field can never be right: it calls them neutral. */
const PERMANENT = [
  "no key",
  "unknown key version",
  "unknown key type",
  "invalid public key",
  "inappropriate hash algorithm",
  "inappropriate key algorithm",
  "key not for email",
  "domain mismatch",
  "From field not signed",
];

type Outcome = Pick<DkimResult, "result" | "reason">;

export function dkimResult(found: VerifiedSignature, isAligned: (domain: string) => boolean): DkimResult {
  const domain = domainText(found.domain);
  const { result, reason = found.reason } = outcomeOf(found);
  return {
    result,
    domain,
    selector: domainText(found.selector),
    algorithm: reasonText(found.algorithm).slice(0, MAX_ALGORITHM).toLowerCase(),
    signature: reasonText(found.signature).slice(0, SIGNATURE_START),
    isAligned: domain !== "" && isAligned(domain),
    ...(reason === "" ? {} : { reason: reasonText(reason) }),
  };
}

function outcomeOf({ result, reason, isTesting, unsigned }: VerifiedSignature): Outcome {
  switch (result) {
    case "pass":
      // Anybody may have put them there, and a forwarder would vouch for them.
      return unsigned > 0
        ? { result: "policy", reason: `l= leaves out ${unsigned} octets of the body` }
        : { result };
    case "fail":
      // RFC 6376 §3.6.1: of who only tests, as if it were not signed.
      return isTesting ? { result: "neutral", reason: `${reason}; its domain is testing DKIM` } : { result };
    case "policy":
    case "temperror":
      return { result };
    default:
      if (reason === "expired") return { result: "policy" };
      return { result: PERMANENT.includes(reason) ? "permerror" : "neutral" };
  }
}
