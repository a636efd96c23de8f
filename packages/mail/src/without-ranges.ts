// A content without some of its octets: fields that pretend to be ours go before it is passed on. Called by the forwarder.
import { ChangedContent, type Content, partsOf } from "./content.ts";

/** From the first octet to before the last. */
export interface OctetRange {
  readonly from: number;
  readonly to: number;
}

/**
 * What stays is copied up to the last of them, and shared behind it. It lives as long as `content` is held.
 * @param ranges in their order, none upon another, all within `content.start`
 */
export function withoutRanges(content: Content, ranges: readonly OctetRange[]): Content {
  const cutEnd = ranges.at(-1)?.to;
  if (cutEnd === undefined) return content;
  const head = keptOctets(content.start, ranges);
  const below = partsOf(content);
  const parts = below && [head, ...behind(below, cutEnd)];
  return new ChangedContent(content, {
    octets: content.octets - (cutEnd - head.length),
    start: () => Buffer.concat([head, content.start.subarray(cutEnd)]),
    parts,
    async *pieces() {
      if (parts) return yield* parts;
      yield head;
      let passed = 0;
      for await (const piece of content.pieces()) {
        const from = Math.min(Math.max(cutEnd - passed, 0), piece.length);
        passed += piece.length;
        if (from < piece.length) yield piece.subarray(from);
      }
    },
  });
}

function keptOctets(start: Buffer, ranges: readonly OctetRange[]): Buffer {
  let from = 0;
  const kept: Buffer[] = [];
  for (const range of ranges) {
    if (range.from < from || range.to < range.from || range.to > start.length)
      throw new Error(`octets ${range.from} to ${range.to} cannot be cut out`);
    kept.push(start.subarray(from, range.from));
    from = range.to;
  }
  return Buffer.concat(kept);
}

function behind(parts: readonly Buffer[], octets: number): readonly Buffer[] {
  const kept: Buffer[] = [];
  let passed = 0;
  for (const part of parts) {
    const from = Math.min(Math.max(octets - passed, 0), part.length);
    passed += part.length;
    if (from < part.length) kept.push(from === 0 ? part : part.subarray(from));
  }
  return kept;
}
