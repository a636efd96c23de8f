// Makes and opens tokens. Pure but for the keys. The layout is that of tweetnacl's `nacl.sign`: 64 octets of signature, then
// the payload; base64url without padding. Called by the composition root, by the plug-in, and by whoever only verifies.
import { sign, verify } from "node:crypto";
import { type Keys, signingKeys, type VerifyingKey, verifyingKeys } from "./keys.ts";
import { areFacts, parsePayload, renderPayload } from "./payload.ts";
import type { OpenedToken, TokenFacts, Tokens } from "./tokens.ts";

/** Characters. The longest address, each of its characters escaped, fits. Nothing that is longer is looked at. */
export const MAX_TOKEN = 1024;
const SIGNATURE_OCTETS = 64;
const BASE64URL = /^[A-Za-z0-9_-]+$/;

/**
 * @param secrets newest first, one a line of a secrets file; the first signs, the first two verify
 * @example createTokens(["a secret of 128 bits or more"]).open("x", "confirm", 0) // { ok: false, reason: "malformed" }
 */
export function createTokens(secrets: readonly string[]): Tokens {
  const keys = signingKeys(secrets);
  const [newest] = keys;
  return {
    publicKeys: keys.map(({ text }) => text),
    open: (token, purpose, now) => open(keys, token, { purpose, now }),
    sign(facts) {
      if (!areFacts(facts)) throw new RangeError("tokens: these are no facts of a token");
      const payload = renderPayload(facts, newest.id);
      const token = Buffer.concat([sign(null, payload, newest.privateKey), payload]).toString("base64url");
      if (token.length > MAX_TOKEN) throw new RangeError("tokens: address and site are too long for a token");
      return token;
    },
  };
}

/** @param publicKeys base64url of 32 octets each, newest first; two at most are live */
export function publicTokens(publicKeys: readonly string[]): Pick<Tokens, "open"> {
  const keys = verifyingKeys(publicKeys);
  return { open: (token, purpose, now) => open(keys, token, { purpose, now }) };
}

type Wanted = Pick<TokenFacts, "purpose"> & { readonly now: number };

function open(keys: Keys<VerifyingKey>, token: string, { purpose, now }: Wanted): OpenedToken {
  const octets = octetsOf(token);
  if (!octets) return MALFORMED;
  const signature = octets.subarray(0, SIGNATURE_OCTETS);
  const payload = octets.subarray(SIGNATURE_OCTETS);
  // OpenSSL takes each signature in one spelling alone (RFC 8032 §5.1.7: S below the order), which tweetnacl does not.
  const keyIndex = keys.findIndex(({ key }) => verify(null, payload, key, signature));
  const key = keys[keyIndex];
  if (!key) return { ok: false, reason: "bad-signature" };
  const facts = parsePayload(payload, key.id);
  if (!facts) return MALFORMED;
  if (facts.purpose !== purpose) return { ok: false, reason: "wrong-purpose" };
  if (facts.expires <= now) return { ok: false, reason: "expired" };
  return { ok: true, facts, keyIndex };
}

const MALFORMED: OpenedToken = { ok: false, reason: "malformed" };

/** Undefined for each spelling but the one that we write: the last character may hold bits that say nothing. */
function octetsOf(token: unknown): Buffer | undefined {
  if (typeof token !== "string" || token.length > MAX_TOKEN || !BASE64URL.test(token)) return undefined;
  const octets = Buffer.from(token, "base64url");
  if (octets.length <= SIGNATURE_OCTETS) return undefined;
  return octets.toString("base64url") === token ? octets : undefined;
}
