// The ARC set of one message, made in a thread. Called by content-thread.ts. RFC 8617 §5.1.
import { boundedLines } from "./bounded-lines.ts";
import type { ContentLibrary, SealOrder } from "./library.ts";
import type { SealedSet } from "./messages.ts";

export async function sealContent(
  library: Pick<ContentLibrary, "seal">,
  pieces: AsyncIterable<Uint8Array>,
  order: SealOrder,
): Promise<SealedSet> {
  const bounded = boundedLines(pieces);
  const fields = await library.seal(bounded.pieces, order);
  return bounded.isTooLong() ? { kind: "too-long" } : { kind: "sealed", fields };
}
