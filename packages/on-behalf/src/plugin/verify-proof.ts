// Proofs for sites that do not use nodemailer: is it true that this user confirmed his address for us? Sites call it.
import { publicTokens } from "../tokens/create-tokens.ts";

export interface ProofQuestion {
  /** Public keys of the Homing service, newest first. */
  readonly identityKeys: readonly string[];
  /** The site's name at the service. */
  readonly site: string;
  /** Unix seconds. */
  readonly now: number;
}

export type VerifiedProof =
  | { readonly ok: true; readonly address: string /** Unix seconds. */; readonly expires: number }
  | {
      readonly ok: false;
      readonly reason: "malformed" | "bad-signature" | "wrong-purpose" | "wrong-site" | "expired";
    };

/** Throws a RangeError where the keys are none. Revoking cannot be seen: for that, ask the service. */
export function verifyProof(proof: string, { identityKeys, site, now }: ProofQuestion): VerifiedProof {
  const opened = publicTokens(identityKeys).open(proof, "identity", now);
  if (!opened.ok) return opened;
  if (opened.facts.site !== site) return { ok: false, reason: "wrong-site" };
  return { ok: true, address: opened.facts.address, expires: opened.facts.expires };
}
