// Signed links: Ed25519 over a payload that says what it is for, in the layout of tweetnacl's `nacl.sign`, so that any site
// and any browser can verify them. Called by identities/, messages/ and the plug-in.
import type { UnixSeconds } from "@homing/srs-core";

export type Purpose =
  /** The button that confirms an address. */
  | "confirm"
  /** A person sees and ends what is sent in his name, or to him. */
  | "manage"
  /** Says that an address was confirmed, to whoever has our public key. */
  | "identity";

export interface TokenFacts {
  readonly purpose: Purpose;
  readonly address: string;
  /** Name of the site; "" of a link that belongs to none. */
  readonly site: string;
  /** 128 bits, base64url. */
  readonly nonce: string;
  readonly expires: UnixSeconds;
}

export type OpenedToken =
  | { readonly ok: true; readonly facts: TokenFacts /** 0 is the newest. */; readonly keyIndex: number }
  | { readonly ok: false; readonly reason: "malformed" | "bad-signature" | "wrong-purpose" | "expired" };

export interface Tokens {
  /** With the newest key. base64url of signature and payload. */
  sign(facts: TokenFacts): string;
  /** Whatever it is: looks at length, form, signature, purpose, expiry, in this order. */
  open(token: string, purpose: Purpose, now: UnixSeconds): OpenedToken;
  /** base64url of 32 octets each, newest first. */
  readonly publicKeys: readonly string[];
}
