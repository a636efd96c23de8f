// HMAC (RFC 2104) with a key that is used many times, over short messages. Called by tag.ts and keyed-names.ts.
// Both pads are compressed once, when the key is set; then a tag costs two or three compressions, and no crossing into
// C++, which costs node:crypto more than its hash (ADR 0015 has the figures). The tests hold it against node:crypto.
import { hash } from "node:crypto";
import { BLOCK_OCTETS, COMPRESSIONS, type State } from "./compression.ts";
import type { MacInput } from "./mac-input.ts";

export type HashAlgorithm = keyof typeof COMPRESSIONS;

/** The hash of a message, in a buffer that the next call overwrites. Pads the input where it stands. */
export type KeyedHash = (input: MacInput) => Uint8Array;

/** Behind a message stand one octet of padding and its length in eight. */
const PADDING = 9;

export function createKeyedHash(algorithm: HashAlgorithm, secret: string): KeyedHash {
  const compression = COMPRESSIONS[algorithm]();
  const key = keyBlock(algorithm, secret);
  const inner = compression.run(compression.initial, xored(key, 0x36), 1);
  const outer = compression.run(compression.initial, xored(key, 0x5c), 1);

  const digest = new Uint8Array(inner.length * 4);
  const digestView = viewOf(digest);
  const outerView = viewOf(new Uint8Array(BLOCK_OCTETS));
  outerView.setUint8(digest.length, 0x80);
  writeLength(outerView, 1, digest.length);

  return ({ octets, view, length }) => {
    const blocks = Math.ceil((length + PADDING) / BLOCK_OCTETS);
    octets[length] = 0x80;
    octets.fill(0, length + 1, blocks * BLOCK_OCTETS);
    writeLength(view, blocks, length);
    writeState(outerView, compression.run(inner, view, blocks));
    writeState(digestView, compression.run(outer, outerView, 1));
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
function writeLength(view: DataView, blocks: number, octets: number): void {
  view.setUint32(blocks * BLOCK_OCTETS - 4, (BLOCK_OCTETS + octets) * 8);
}

function writeState(view: DataView, state: State): void {
  for (let word = 0; word < state.length; word++) view.setInt32(word * 4, state[word] ?? 0);
}

function viewOf(octets: Uint8Array): DataView {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}
