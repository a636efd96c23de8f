// An identity as it is kept. Called by files of identities/.
//   ob-identity     ID               the record; kept for 30 days behind its end, so that a site is told what became of it
//   ob-identity     ID CONFIRMATION  the grant: there while that confirmation is in force, no longer
//   ob-identity-of  HASH SITE        the id, so that somebody's identities are found by his address
//   ob-nonce        HASH             a mailed link whose button nobody has pressed: confirmation.ts
// Whatever uses an identity has the grant in `present` of its transaction: what was revoked in the meantime is not used, and
// not written over.
import { hash } from "node:crypto";
import type { UnixSeconds } from "@homing/srs-core";
import type { Identity, IdentityStatus, Scope } from "../on-behalf.ts";
import type { Changes, Fact, FactName, OnBehalfStore } from "../store.ts";
import type { Tokens } from "../tokens/tokens.ts";
import { keyHash } from "./key-hash.ts";
import { SECONDS_OF_DAY } from "./links.ts";

export const IDENTITY_SECONDS = 180 * SECONDS_OF_DAY;
const KEPT_BEHIND = 30 * SECONDS_OF_DAY;
/** A proof cannot be called back; a site that asks for the identity now and then always has a fresh one. */
const PROOF_SECONDS = 30 * SECONDS_OF_DAY;
const ID_DIGITS = 22;
const ID = /^idn_[A-Za-z0-9_-]{22}$/;

export interface IdentityRecord {
  readonly site: string;
  readonly address: string;
  readonly scope: Scope;
  readonly requestedAt: UnixSeconds;
  readonly expires: UnixSeconds;
  /** The hash of the nonce of the link that waits for its button. */
  readonly pending?: string;
  /** That of the link whose button was pressed. */
  readonly confirmation?: string;
  readonly confirmedAt?: UnixSeconds;
  readonly lastUsedAt?: UnixSeconds;
  readonly revokedAt?: UnixSeconds;
}

/** The same for the same address at the same site, for ever: 128 bits of a hash. It is no secret. */
export function identityId(site: string, address: string): string {
  const digest = hash("sha256", `homing-identity-v1\0${site}\0${address}`, "base64url");
  return `idn_${digest.slice(0, ID_DIGITS)}`;
}

export function isIdentityId(text: string): boolean {
  return ID.test(text);
}

export async function findRecord(
  store: Pick<OnBehalfStore, "find">,
  id: string,
  now: UnixSeconds,
): Promise<IdentityRecord | undefined | "away"> {
  const fact = await store.find({ of: "ob-identity", key: id }, now);
  return typeof fact === "object" ? (JSON.parse(fact.value) as IdentityRecord) : fact;
}

/** The record and its index. @param address as `addressKey` makes it */
export function recordFacts(record: IdentityRecord, address: string): readonly Fact[] {
  const id = identityId(record.site, address);
  const expires = record.expires + KEPT_BEHIND;
  return [
    { of: "ob-identity", key: id, value: JSON.stringify(record), expires },
    { of: "ob-identity-of", key: `${indexPrefix(address)}${record.site}`, value: id, expires },
  ];
}

/** Of all identities of an address. */
export function indexPrefix(address: string): string {
  return `${keyHash(address)} `;
}

export function grantName(id: string, confirmation: string): FactName {
  return { of: "ob-identity", key: `${id} ${confirmation}` };
}

export function grantFact(id: string, confirmation: string, expires: UnixSeconds): Fact {
  return { ...grantName(id, confirmation), value: "", expires };
}

export function nonceName(nonceHash: string): FactName {
  return { of: "ob-nonce", key: nonceHash };
}

export function statusOf(record: IdentityRecord, now: UnixSeconds): IdentityStatus {
  if (record.revokedAt !== undefined) return "revoked";
  if (record.expires <= now) return "expired";
  return record.confirmation === undefined ? "pending" : "confirmed";
}

export function identityOf(id: string, record: IdentityRecord, now: UnixSeconds): Identity {
  const { pending: _, confirmation: __, ...facts } = record;
  return { id, ...facts, status: statusOf(record, now) };
}

/** For the site: with what shows others that it may send as this user. */
export function provenIdentity(
  { id, record, now }: { readonly id: string; readonly record: IdentityRecord; readonly now: UnixSeconds },
  tokens: Pick<Tokens, "sign">,
): Identity {
  const identity = identityOf(id, record, now);
  const { site, address, confirmation } = record;
  // A proof says nothing of the scope: whoever reads it takes the owner for a user.
  const isUser = identity.status === "confirmed" && identity.scope === "user";
  if (!isUser || confirmation === undefined) return identity;
  const expires = Math.min(record.expires, now + PROOF_SECONDS);
  const proof = tokens.sign({ purpose: "identity", address, site, nonce: confirmation, expires });
  return { ...identity, proof };
}

/** A confirmed one that is used now: it lives on for as long as a new one would. */
export function usedChanges(
  { id, record, now }: { readonly id: string; readonly record: IdentityRecord; readonly now: UnixSeconds },
  address: string,
): Pick<Changes, "write" | "present"> {
  const { confirmation = "" } = record;
  const expires = Math.max(record.expires, now + IDENTITY_SECONDS);
  return {
    present: [grantName(id, confirmation)],
    write: [
      ...recordFacts({ ...record, lastUsedAt: now, expires }, address),
      grantFact(id, confirmation, expires),
    ],
  };
}
