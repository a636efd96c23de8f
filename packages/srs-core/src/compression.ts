// The compression functions of @noble/hashes, reached by subclassing: state in, one 64-octet block, state out.
// Called by keyed-hash.ts. An upgrade that moves these members fails to compile, and fails keyed-hash.test.ts.
import { _SHA1 } from "@noble/hashes/legacy.js";
import { _SHA256 } from "@noble/hashes/sha2.js";

export const BLOCK_OCTETS = 64;

/** Chaining state: 32-bit words, five for SHA-1, eight for SHA-256. */
export type State = readonly number[];

export interface Compression {
  /** The state before any block. */
  readonly initial: State;
  /** Compresses `blocks` blocks that stand at the beginning of the view. */
  run(from: State, view: DataView, blocks: number): State;
}

class Sha1 extends _SHA1 implements Compression {
  readonly initial = this.get();

  run(from: State, view: DataView, blocks: number): State {
    const [a = 0, b = 0, c = 0, d = 0, e = 0] = from;
    this.set(a, b, c, d, e);
    for (let block = 0; block < blocks; block++) this.process(view, block * BLOCK_OCTETS);
    return this.get();
  }
}

class Sha256 extends _SHA256 implements Compression {
  readonly initial = this.get();

  run(from: State, view: DataView, blocks: number): State {
    const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0] = from;
    this.set(a, b, c, d, e, f, g, h);
    for (let block = 0; block < blocks; block++) this.process(view, block * BLOCK_OCTETS);
    return this.get();
  }
}

export const COMPRESSIONS = { sha1: () => new Sha1(), sha256: () => new Sha256() } as const;
