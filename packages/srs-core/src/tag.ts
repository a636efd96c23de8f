// Tags: the keyed hash in an SRS address that proves that we made it. One tagger for each scheme (ADR 0003); rewriter.ts
// mints with one and verifies with those that it was told to accept.
import { createHmac } from "node:crypto";
import { asciiLower, writeFolded } from "./ascii.ts";
import { base32 } from "./base32.ts";
import { type Base64Alphabet, base64Prefix } from "./base64.ts";
import { createKeyedHashes, type KeyedHash, type Secrets } from "./keyed-hash.ts";
import { SELECTOR_LENGTH } from "./keyed-names.ts";
import { classicInput, labelledInput } from "./mac-input.ts";
import { sameFolded } from "./same-text.ts";
import type { Separator, Srs0, Srs1 } from "./srs-address.ts";

/** `strong`: ours, the default. `classic`: shared with Mail::SRS, libsrs2 and PostSRSd. `exim`: read only, for a migration. */
export type Scheme = "strong" | "classic" | "exim";

/** What a tag covers: the kind of address and its fields in their order of appearance. */
export interface TaggedFields {
  readonly kind: "srs0" | "srs1";
  readonly separator: Separator;
  readonly fields: readonly string[];
}

type Untagged = Omit<Srs0, "tag"> | Omit<Srs1, "tag">;

export function covered(srs: Untagged): TaggedFields {
  const { kind, separator } = srs;
  if (kind === "srs1") return { kind, separator, fields: [srs.host, srs.rest] };
  return { kind, separator, fields: [srs.stamp, srs.domain, srs.user] };
}

/** Who made a tag that was found good. */
export interface Signature {
  readonly scheme: Scheme;
  /** Which secret: 0 is the newest; above, it was made before the last rotation. */
  readonly secretIndex: number;
  /** Names the alias that the message was sent to, in lower case; compare with `selectorsOf`. */
  readonly selector?: string;
}

export interface Tagger {
  /** Days for which the scheme's addresses live at most; undefined: as configured. */
  readonly maxAgeDays?: number;
  /** With the newest secret. A scheme without selectors leaves that one out. */
  mint(covered: TaggedFields, selector?: string): string;
  /** Constant-time over the whole tag, with every secret, whatever matched before. */
  find(covered: TaggedFields, tag: string): Signature | undefined;
}

/** 40 bits: 2^39 guesses on average, with one secret; months for an unthrottled guesser. */
const STRONG_TAG_OCTETS = 5;
const STRONG_TAG_LENGTH = 8;
const STRONG_INPUTS = {
  srs0: labelledInput("homing-srs0-v1", writeFolded),
  srs1: labelledInput("homing-srs1-v1", writeFolded),
} as const;

/**
 * HMAC-SHA-256 over unambiguous input: a label that names kind and version, then every field, each behind its length in
 * two octets, big-endian. A selector is one more field. Fields are folded to ASCII lower case, so that the tag survives
 * a hop that changes the case of the whole address. The first 40 bits are 8 base32 characters in lower case; the
 * selector follows them.
 */
export function strongTagger(secrets: Secrets): Tagger {
  const hashes = createKeyedHashes("sha256", secrets);
  const tagOf = (hash: KeyedHash, covered: TaggedFields, selector: string): string => {
    const fields = selector === "" ? covered.fields : [...covered.fields, selector];
    return base32(hash(STRONG_INPUTS[covered.kind](fields)).subarray(0, STRONG_TAG_OCTETS));
  };
  return {
    mint: (covered, selector = "") => tagOf(hashes[0], covered, selector) + selector,
    find(covered, tag) {
      const selector =
        tag.length === STRONG_TAG_LENGTH + SELECTOR_LENGTH ? asciiLower(tag.slice(STRONG_TAG_LENGTH)) : "";
      const secretIndex = indexOfMatch(hashes, (hash) =>
        sameFolded(tagOf(hash, covered, selector) + selector, tag),
      );
      if (secretIndex < 0) return undefined;
      const scheme = "strong";
      return selector === "" ? { scheme, secretIndex } : { scheme, secretIndex, selector };
    },
  };
}

/** HMAC-SHA1 in base64 without padding. */
export const MAX_CLASSIC_TAG_LENGTH = 27;

export interface ClassicOptions {
  /** Characters written, 1 to 27 (27 is a whole SHA-1 without padding). */
  readonly tagLength: number;
  /** Characters that suffice on verification: this is the real security level, not `tagLength`. */
  readonly minTagLength: number;
  /** The alphabet written; both are read. PostSRSd writes base64url since 2.2.6, the others base64. */
  readonly alphabet: Base64Alphabet;
}

/** HMAC-SHA1 over the folded fields with nothing between them, base64, cut: byte for byte what Mail::SRS writes. */
export function classicTagger(secrets: Secrets, options: ClassicOptions): Tagger {
  const hashes = createKeyedHashes("sha1", secrets);
  const macOf = (hash: KeyedHash, covered: TaggedFields): Uint8Array => hash(classicInput(covered.fields));
  return {
    mint: (covered) => base64Prefix(macOf(hashes[0], covered), options.tagLength, options.alphabet),
    find(covered, tag) {
      const given = plainBase64(tag);
      // Peers compare without regard to case, because some hops change it.
      const secretIndex = indexOfMatch(hashes, (hash) => {
        return sameFolded(base64Prefix(macOf(hash, covered), given.length, "base64"), given);
      });
      const longEnough = tag.length >= options.minTagLength && tag.length <= MAX_CLASSIC_TAG_LENGTH;
      return secretIndex < 0 || !longEnough ? undefined : { scheme: "classic", secretIndex };
    },
  };
}

/** The base64 alphabet of a tag in either. */
function plainBase64(tag: string): string {
  return tag.includes("-") || tag.includes("_") ? tag.replaceAll("-", "+").replaceAll("_", "/") : tag;
}

/** Characters of Exim's tag: 16 bits, and its stamp is not covered. A guesser needs 32,768 tries. */
const EXIM_TAG_LENGTH = 4;
/** Exim's ${srs_encode} has no option for it. */
export const EXIM_MAX_AGE_DAYS = 10;

/** Exim's own form, verified only: HMAC-MD5 over the folded sender, hexadecimal, lower case, separator "=" alone. */
export function eximTagger(secrets: Secrets): Tagger {
  return {
    maxAgeDays: EXIM_MAX_AGE_DAYS,
    mint() {
      throw new TypeError("scheme exim is for verification alone");
    },
    find({ kind, separator, fields }, tag) {
      // Exim writes nothing else, and compares its lower-case letters exactly. The form is no secret.
      const itsForm = kind === "srs0" && separator === "=" && tag.length === EXIM_TAG_LENGTH;
      if (!itsForm || tag !== asciiLower(tag)) return undefined;
      const [, domain = "", user = ""] = fields;
      const sender = asciiLower(`${user}@${domain}`);
      const secretIndex = indexOfMatch(secrets, (secret) => {
        return sameFolded(
          createHmac("md5", secret).update(sender).digest("hex").slice(0, EXIM_TAG_LENGTH),
          tag,
        );
      });
      return secretIndex >= 0 ? { scheme: "exim", secretIndex } : undefined;
    },
  };
}

/** Every key is tried, whatever matched before. */
function indexOfMatch<Key>(keys: readonly Key[], matches: (key: Key) => boolean): number {
  let found = -1;
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index];
    if (key !== undefined && matches(key)) found = index;
  }
  return found;
}
