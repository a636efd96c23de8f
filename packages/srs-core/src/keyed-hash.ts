// HMAC (RFC 2104) with a key that is used many times, over short messages. Called by tag.ts and keyed-names.ts.
// Both pads are compressed once, when the key is set; then a tag costs two or three compressions, and no crossing into
// C++, which costs node:crypto more than its hash (ADR 0015 has the figures). The tests hold it against node:crypto.
import { hash } from "node:crypto";
import type { MacInput } from "./mac-input.ts";
import { compressSha1, SHA1_INITIAL } from "./sha1.ts";
import { compressSha256, SHA256_INITIAL } from "./sha256.ts";

const ALGORITHMS = {
  sha1: { initial: SHA1_INITIAL, compress: compressSha1 },
  sha256: { initial: SHA256_INITIAL, compress: compressSha256 },
} as const;

export type HashAlgorithm = keyof typeof ALGORITHMS;

/** The hash of a message, in a buffer that the next call overwrites. Pads the input where it stands. */
export type KeyedHash = (input: MacInput) => Uint8Array;

/** At least one secret; the first one signs. */
export type Secrets = readonly [newest: string, ...older: string[]];

/** One for each secret, in their order. */
export type KeyedHashes = readonly [newest: KeyedHash, ...older: KeyedHash[]];

export function createKeyedHashes(algorithm: HashAlgorithm, [newest, ...older]: Secrets): KeyedHashes {
  return [createKeyedHash(algorithm, newest), ...older.map((secret) => createKeyedHash(algorithm, secret))];
}

/** Both hashes work on blocks of this size. */
const BLOCK_OCTETS = 64;
/** Behind a message stand one octet of padding and its length in eight. */
const PADDING = 9;

export function createKeyedHash(algorithm: HashAlgorithm, secret: string): KeyedHash {
  const { initial, compress } = ALGORITHMS[algorithm];
  const key = keyBlock(algorithm, secret);
  const inner = new Int32Array(initial.length);
  const outer = new Int32Array(initial.length);
  compress(initial, xored(key, 0x36), 0, inner);
  compress(initial, xored(key, 0x5c), 0, outer);

  const state = new Int32Array(initial.length);
  const digest = new Uint8Array(initial.length * 4);
  const digestView = viewOf(digest);
  const outerView = viewOf(new Uint8Array(BLOCK_OCTETS));
  outerView.setUint8(digest.length, 0x80);
  writeLength(outerView, BLOCK_OCTETS, digest.length);

  return ({ octets, view, length }) => {
    const end = Math.ceil((length + PADDING) / BLOCK_OCTETS) * BLOCK_OCTETS;
    octets[length] = 0x80;
    octets.fill(0, length + 1, end);
    writeLength(view, end, length);
    compress(inner, view, 0, state);
    for (let at = BLOCK_OCTETS; at < end; at += BLOCK_OCTETS) compress(state, view, at, state);
    writeState(outerView, state);
    compress(outer, outerView, 0, state);
    writeState(digestView, state);
    return digest;
  };
}

/** RFC 2104 §2: a key longer than a block is hashed first. */
function keyBlock(algorithm: HashAlgorithm, secret: string): Uint8Array {
  const key = Buffer.from(secret, "utf8");
  const block = new Uint8Array(BLOCK_OCTETS);
  block.set(key.length > BLOCK_OCTETS ? hash(algorithm, key, "buffer") : key);
  return block;
}

function xored(block: Uint8Array, octet: number): DataView {
  return viewOf(block.map((one) => one ^ octet));
}

/** The length in bits, of the pad's block and the message, at the end of the last block. */
function writeLength(view: DataView, end: number, octets: number): void {
  view.setUint32(end - 4, (BLOCK_OCTETS + octets) * 8);
}

function writeState(view: DataView, state: Int32Array): void {
  for (let word = 0; word < state.length; word++) view.setInt32(word * 4, state[word] ?? 0);
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}
