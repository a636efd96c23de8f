// Reads a bounce where it lies, in memory or on the disk, without having it whole. Called by bounce-reading.ts.
import { type BounceReport, createBounceReader } from "@homing/bounce-handler";
import { type Content, partsOf } from "@homing/mail";

/** Here or in a thread. */
export type ReadBounce = (content: Content) => Promise<BounceReport>;

/** A piece of a message is bounded, so that other clients have their turn in between. */
const SLICE = 256 * 1024;

export const readContent: ReadBounce = async (content) => {
  const reader = createBounceReader();
  const parts = content.octets <= SLICE ? partsOf(content) : undefined;
  if (parts) {
    for (const part of parts) reader.take(part);
    return reader.end();
  }
  for await (const piece of content.pieces()) {
    for (let from = 0; from < piece.length; from += SLICE) {
      reader.take(piece.subarray(from, from + SLICE));
      if (piece.length > SLICE) await new Promise(setImmediate);
    }
  }
  return reader.end();
};
