// HMAC with a key that is used many times. Called by tag.ts.
// Both pads are hashed once, when the key is set; node:crypto would hash them, and cross into C++, for every tag
// (ADR 0014 has the figures). The tests hold every algorithm against node:crypto.
import { hmac } from "@noble/hashes/hmac.js";
import { md5, sha1 } from "@noble/hashes/legacy.js";
import { sha256 } from "@noble/hashes/sha2.js";

const ALGORITHMS = { md5, sha1, sha256 } as const;

export type HashAlgorithm = keyof typeof ALGORITHMS;

/** The hash of a message, in a buffer that the next call overwrites. */
export type KeyedHash = (message: Uint8Array) => Buffer;

export function createKeyedHash(algorithm: HashAlgorithm, secret: string): KeyedHash {
  const keyed = hmac.create(ALGORITHMS[algorithm], Buffer.from(secret, "utf8"));
  const digest = Buffer.alloc(keyed.outputLen);
  let used = keyed.clone();
  return (message) => {
    used = keyed._cloneInto(used);
    used.update(message).digestInto(digest);
    return digest;
  };
}
