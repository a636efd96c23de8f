// Netstrings (`5:hello,`), the frames of socketmap. Called by socketmap.ts.
import { ProtocolFault } from "../wire/protocol.ts";

const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const COMMA = 0x2c;
const NOTHING = Buffer.alloc(0);

export interface NetstringReader {
  /** Gives `each` what ends in this chunk, as a range of octets. Throws a ProtocolFault at what is no netstring. */
  push(chunk: Buffer, each: (octets: Buffer, start: number, end: number) => void): void;
  isBegun(): boolean;
}

/** @param maxOctets more than so many are refused as soon as the length says so, before any of them is held */
export function createNetstringReader(maxOctets: number): NetstringReader {
  let held: Buffer = NOTHING;
  return {
    isBegun: () => held.length > 0,
    push(chunk, each) {
      const octets = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      let at = 0;
      while (at < octets.length) {
        const colon = endOfLength(octets, at, maxOctets);
        if (colon === undefined) break;
        const end = colon + 1 + lengthOf(octets, at, colon);
        if (end >= octets.length) break;
        if (octets[end] !== COMMA) throw new ProtocolFault("a netstring does not end with a comma");
        each(octets, colon + 1, end);
        at = end + 1;
      }
      // A copy: a few octets must not keep a whole chunk in memory.
      held = at === octets.length ? NOTHING : Buffer.from(octets.subarray(at));
    },
  };
}

/** Where the colon stands; undefined where it has not come yet. */
function endOfLength(octets: Buffer, start: number, maxOctets: number): number | undefined {
  let length = 0;
  for (let at = start; at < octets.length; at++) {
    const octet = octets[at] ?? 0;
    if (octet === COLON && at > start) return at;
    if (octet < ZERO || octet > NINE) throw new ProtocolFault("a netstring does not begin with its length");
    // Two spellings of one length are read differently by two programs.
    if (at > start && length === 0) throw new ProtocolFault("a netstring's length begins with a zero");
    length = 10 * length + octet - ZERO;
    if (length > maxOctets) throw new ProtocolFault(`a netstring has more than ${maxOctets} octets`);
  }
  return undefined;
}

function lengthOf(octets: Buffer, start: number, colon: number): number {
  let length = 0;
  for (let at = start; at < colon; at++) length = 10 * length + (octets[at] ?? 0) - ZERO;
  return length;
}

export function renderNetstring(text: string): string {
  return `${Buffer.byteLength(text)}:${text},`;
}
