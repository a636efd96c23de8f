// Tags: the keyed hash in an SRS address that proves that we made it. Two schemes (ADR 0003), one interface;
// rewriter.ts mints with one and verifies with those it was told to accept.
import { createHmac } from "node:crypto";
import base32Encode from "base32-encode";
import nacl from "tweetnacl";
import { asciiLower } from "./ascii.ts";

/** `strong`: ours, the default. `classic`: shared with Mail::SRS, libsrs2 and PostSRSd. */
export type Scheme = "strong" | "classic";

/** What a tag covers: the kind of address and its fields in their order of appearance. */
export interface TaggedFields {
  readonly kind: "srs0" | "srs1";
  readonly fields: readonly string[];
}

export interface TagScheme {
  mint(secret: string, covered: TaggedFields): string;
  /** Constant-time over the tag's whole length; the caller tries every secret. */
  matches(secret: string, covered: TaggedFields, tag: string): boolean;
}

/** 40 bits: 2^39 guesses on average, with one secret; months for an unthrottled guesser. */
const STRONG_TAG_OCTETS = 5;

/**
 * HMAC-SHA-256 over unambiguous input: a label that names kind and version, then every field, each behind its
 * length in two octets, big-endian. Fields are folded to ASCII lower case, so that the tag survives a hop that
 * changes the case of the whole address. The first 40 bits are written as 8 base32 characters in lower case.
 */
export const strongScheme: TagScheme = {
  mint(secret, covered) {
    const mac = createHmac("sha256", secret).update(strongInput(covered)).digest();
    return base32Encode(mac.subarray(0, STRONG_TAG_OCTETS), "RFC4648", { padding: false }).toLowerCase();
  },
  matches(secret, covered, tag) {
    return sameText(strongScheme.mint(secret, covered), asciiLower(tag));
  },
};

export interface ClassicOptions {
  /** Characters written, 1 to 27 (27 is a whole SHA-1 without padding). */
  readonly tagLength: number;
  /** Characters that suffice on verification: this is the real security level, not `tagLength`. */
  readonly minTagLength: number;
  /** The alphabet written; both are read. PostSRSd writes base64url since 2.2.6, the others base64. */
  readonly alphabet: "base64" | "base64url";
}

/** HMAC-SHA1 over the folded fields with nothing between them, base64, cut: byte for byte what Mail::SRS writes. */
export function classicScheme(options: ClassicOptions): TagScheme {
  const whole = (secret: string, covered: TaggedFields): string => {
    const mac = createHmac("sha1", secret);
    for (const field of covered.fields) mac.update(asciiLower(field), "utf8");
    return mac.digest(options.alphabet);
  };
  return {
    mint: (secret, covered) => whole(secret, covered).slice(0, options.tagLength),
    matches(secret, covered, tag) {
      if (tag.length < options.minTagLength) return false;
      // Peers compare without regard to case, because some hops change it.
      const expected = whole(secret, covered).slice(0, tag.length);
      return sameText(foldBase64(expected), foldBase64(tag));
    },
  };
}

/** The index of the first secret under which the tag is right, or −1. Every secret is tried, whatever matched before. */
export function matchingSecret(
  scheme: TagScheme,
  secrets: readonly string[],
  covered: TaggedFields,
  tag: string,
): number {
  let found = -1;
  for (const [index, secret] of secrets.entries()) {
    if (scheme.matches(secret, covered, tag) && found < 0) found = index;
  }
  return found;
}

function strongInput(covered: TaggedFields): Buffer {
  const parts = [`homing-${covered.kind}-v1`, ...covered.fields.map(asciiLower)].flatMap((field) => {
    const bytes = Buffer.from(field, "utf8");
    const length = Buffer.alloc(2);
    length.writeUInt16BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts);
}

function foldBase64(tag: string): string {
  return asciiLower(tag.replaceAll("-", "+").replaceAll("_", "/"));
}

function sameText(a: string, b: string): boolean {
  return nacl.verify(Buffer.from(a, "utf8"), Buffer.from(b, "utf8"));
}
