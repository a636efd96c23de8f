import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { requestsIn } from "../testing/requests-in.ts";
import { ProtocolFault } from "../wire/protocol.ts";
import { createFrameReader, type Frame, renderFrame } from "./frames.ts";

/** Fed in pieces of these lengths, over and over. */
function readIn(octets: Buffer, lengths: readonly number[]): readonly Frame[] {
  const reader = createFrameReader();
  const frames: Frame[] = [];
  for (let at = 0, piece = 0; at < octets.length; piece++) {
    const length = lengths[piece % lengths.length] ?? 1;
    frames.push(...requestsIn(reader, octets.subarray(at, at + length)));
    at += length;
  }
  assert.equal(reader.isBegun(), false);
  return frames;
}

const letters = fc.constantFrom(..."OCHMRTNEAQKUD");

test("frames are the same wherever the stream is cut", () => {
  const frames = fc.array(fc.record({ letter: letters, data: fc.uint8Array({ maxLength: 300 }) }), {
    maxLength: 8,
  });
  const cuts = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(frames, cuts, (given, lengths) => {
      const octets = Buffer.concat(given.map(({ letter, data }) => renderFrame(letter, data)));
      const expected = given.map(({ letter, data }) => ({ letter, data: Buffer.from(data) }));
      assert.deepEqual(readIn(octets, lengths), expected);
    }),
  );
});

test("header fields and pieces of the body are passed over, up to 1 MB, and not held", () => {
  const octets = Buffer.concat([
    renderFrame("B", Buffer.alloc(1024 * 1024)),
    renderFrame("L", "a\0b\0"),
    renderFrame("E"),
  ]);
  const frames = readIn(octets, [1, 65_536]);
  assert.deepEqual(
    frames.map(({ letter, data }) => [letter, data.length]),
    [
      ["B", 0],
      ["L", 0],
      ["E", 0],
    ],
  );
});

const faults: readonly (readonly [what: string, octets: string, fault: RegExp])[] = [
  ["a frame without a letter", "\0\0\0\0", /^a frame of no octets/],
  ["a body longer than 1 MB", "\0\x10\x04\x01", /^a frame of 1049601 octets, the limit is 1049600$/],
  ["a sender longer than 64 KB", "\0\x01\0\x01M", /^a frame of 65537 octets, the limit is 65536$/],
  ["a frame of 4 GB", "\xff\xff\xff\xff", /^a frame of 4294967295 octets/],
];
for (const [what, octets, message] of faults)
  test(`${what} is a fault as soon as its length is there`, () => {
    assert.throws(
      () => requestsIn(createFrameReader(), Buffer.from(octets, "latin1")),
      (error) => {
        return error instanceof ProtocolFault && message.test(error.message);
      },
    );
  });

test("random octets give frames or one fault, and nothing else", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 2000 }), { maxLength: 5 }), (chunks) => {
      const reader = createFrameReader();
      try {
        for (const chunk of chunks) requestsIn(reader, Buffer.from(chunk));
      } catch (error) {
        assert.ok(error instanceof ProtocolFault);
      }
    }),
  );
});
