// Large contents as chunk rows: cut up on the way in, read one by one on the way out, so that no large message is ever
// whole in memory. Called by sqlite-spool.ts.
import { type Content, countedHolds } from "@homing/mail";
import type { MessageRow } from "./operations.ts";
import type { Writer } from "./writer.ts";

/** Messages up to this size are one row with their body; a row and a file beside it was slower at 100 KB (ADR 0017). */
export const CHUNK_OCTETS = 256 * 1024;

/** The octets in pieces of `CHUNK_OCTETS`; only the last one is shorter. */
export async function* chunksOf(content: Content): AsyncGenerator<Buffer> {
  let parts: Buffer[] = [];
  let octets = 0;
  for await (const piece of content.pieces()) {
    for (let rest = piece; rest.length > 0; ) {
      const part = rest.subarray(0, CHUNK_OCTETS - octets);
      rest = rest.subarray(part.length);
      parts.push(part);
      octets += part.length;
      if (octets < CHUNK_OCTETS) continue;
      yield Buffer.concat(parts, octets);
      parts = [];
      octets = 0;
    }
  }
  if (octets > 0) yield Buffer.concat(parts, octets);
}

/** What the spool has of a message: its start came with the row. */
export function storedContent(writer: Writer, { row, start }: MessageRow): Content {
  const [number, id] = row;
  const [octets, chunks] = row.slice(8);
  const first = Buffer.from(start.buffer, start.byteOffset, start.length);
  return {
    octets: Number(octets),
    start: first,
    async *pieces() {
      yield first;
      for (let place = 1; place < Number(chunks); place++)
        yield await readChunk(writer, { message: Number(number), place, id: String(id) });
    },
    ...countedHolds(undefined),
  };
}

async function readChunk(
  writer: Writer,
  { message, place, id }: { message: number; place: number; id: string },
): Promise<Buffer> {
  const answer = await writer.ask({ kind: "read", message, place });
  if (answer.kind !== "done") throw new Error(`message ${id} cannot be read: ${answer.cause}`);
  if (answer.value === undefined) throw new Error(`message ${id} is no longer in the spool`);
  return Buffer.from(answer.value.buffer, answer.value.byteOffset, answer.value.length);
}
