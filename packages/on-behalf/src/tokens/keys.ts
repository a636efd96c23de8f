// Ed25519 keys of tokens (RFC 8032), made from a file of secrets as this program has them for everything. Called by
// create-tokens.ts. The bare 32 octets, as tweetnacl has them, become keys of node:crypto, which is some 90 times as fast.
import { createHmac, createPrivateKey, createPublicKey, type KeyObject } from "node:crypto";

/** One to sign with, and the one before it, whose links are still in mailboxes. Older ones are dead. */
const LIVE_KEYS = 2;
/** Names purpose and version: no other key that is made of the same secret is this one. */
const SEED_LABEL = "homing-on-behalf-ed25519-v1";
/** RFC 8410 §7 and §4: what stands before the 32 octets. */
const PRIVATE_KEY_START = Buffer.from("302e020100300506032b657004220420", "hex");
const PUBLIC_KEY_START = Buffer.from("302a300506032b6570032100", "hex");
const PUBLIC_KEY = /^[A-Za-z0-9_-]{43}$/;
/** So many characters of the public key stand in a token: which key it was, for people who look into one. */
const KEY_ID_LENGTH = 8;

export interface VerifyingKey {
  /** base64url of 32 octets. */
  readonly text: string;
  readonly id: string;
  readonly key: KeyObject;
}

export interface SigningKey extends VerifyingKey {
  readonly privateKey: KeyObject;
}

export type Keys<Key> = readonly [newest: Key, ...older: Key[]];

/** @param secrets newest first */
export function signingKeys(secrets: readonly string[]): Keys<SigningKey> {
  if (secrets.includes("")) throw new RangeError("tokens: an empty secret is none");
  return live(secrets, (secret) => {
    const seed = createHmac("sha256", secret).update(SEED_LABEL).digest();
    const der = Buffer.concat([PRIVATE_KEY_START, seed]);
    const privateKey = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
    const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
    return { ...verifyingKey(x), privateKey };
  });
}

/** @param publicKeys as `Tokens` gives them, newest first */
export function verifyingKeys(publicKeys: readonly string[]): Keys<VerifyingKey> {
  return live(publicKeys, verifyingKey);
}

function verifyingKey(text: string): VerifyingKey {
  const octets = Buffer.from(text, "base64url");
  if (!PUBLIC_KEY.test(text) || octets.toString("base64url") !== text) {
    throw new RangeError("tokens: a public key is 32 octets as base64url, 43 characters");
  }
  const der = Buffer.concat([PUBLIC_KEY_START, octets]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return { text, id: text.slice(0, KEY_ID_LENGTH), key };
}

function live<Key>(texts: readonly string[], make: (text: string) => Key): Keys<Key> {
  const [newest, ...older] = texts.slice(0, LIVE_KEYS);
  if (newest === undefined) throw new RangeError("tokens: at least one key is needed");
  return [make(newest), ...older.map(make)];
}
