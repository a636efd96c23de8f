// What a token says, as octets: a label that names purpose and version, and JSON in one spelling. Pure. Called by
// create-tokens.ts.
import type { Purpose, TokenFacts } from "./tokens.ts";

/** A signature over anything else, made with the same key by whatever program, is none of a token. */
const LABEL = "homing-on-behalf-v1\0";
const NONCE = /^[A-Za-z0-9_-]{22,64}$/;

/** Complete, or it does not compile. */
const EVERY_PURPOSE: Readonly<Record<Purpose, true>> = { confirm: true, manage: true, identity: true };

export function renderPayload({ purpose, address, site, nonce, expires }: TokenFacts, keyId: string): Buffer {
  const members = { p: purpose, a: address, s: site, n: nonce, x: expires, k: keyId };
  return Buffer.from(`${LABEL}${JSON.stringify(members)}`, "utf8");
}

/**
 * Of a payload whose signature is right; undefined where it is not exactly what `renderPayload` makes of the same facts: other
 * blanks, another order, a member twice, octets that are no UTF-8.
 */
export function parsePayload(payload: Buffer, keyId: string): TokenFacts | undefined {
  const text = payload.toString("utf8");
  if (!text.startsWith(LABEL)) return undefined;
  const facts = factsIn(text.slice(LABEL.length));
  return facts && renderPayload(facts, keyId).equals(payload) ? facts : undefined;
}

export function areFacts(facts: TokenFacts): boolean {
  const { address, site, nonce, expires } = facts;
  return (
    isPurpose(facts.purpose) &&
    typeof address === "string" &&
    address.isWellFormed() &&
    typeof site === "string" &&
    site.isWellFormed() &&
    typeof nonce === "string" &&
    NONCE.test(nonce) &&
    Number.isSafeInteger(expires) &&
    expires >= 0
  );
}

function isPurpose(value: unknown): value is Purpose {
  return typeof value === "string" && Object.hasOwn(EVERY_PURPOSE, value);
}

function factsIn(json: string): TokenFacts | undefined {
  const { p, a, s, n, x } = membersOf(json);
  const facts = { purpose: p, address: a, site: s, nonce: n, expires: x } as TokenFacts;
  return areFacts(facts) ? facts : undefined;
}

function membersOf(json: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(json);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
