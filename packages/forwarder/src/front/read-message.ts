// Reads the content of one DATA command: within the limits, without forbidden octets, into memory or a file. Called by
// transactions.ts. What is refused is read to its end and thrown away, so that the client gets its reply.
import type { Readable } from "node:stream";
import { type Content, createOctetScan, type ForbiddenOctet } from "@homing/mail";
import { MAX_HEADER_OCTETS } from "./limits.ts";
import { MessageSink, type SinkFailure, type Storage } from "./message-sink.ts";

export type ReadRefusal =
  | { readonly reason: ForbiddenOctet | "too-big" | "header-too-big" }
  /** `error` where the disk failed. */
  | SinkFailure;

export type ReadMessage =
  /** The caller is its holder. */
  | { readonly kind: "message"; readonly content: Content }
  | ({ readonly kind: "refused" } & ReadRefusal)
  /** The client went away before the final dot. */
  | { readonly kind: "lost" };

export async function readMessage(
  stream: Readable,
  maxOctets: number,
  storage: Storage,
): Promise<ReadMessage> {
  const sink = new MessageSink(storage);
  const scan = createOctetScan();
  let refusal: ReadRefusal | undefined;

  const take = (piece: Buffer): ReturnType<MessageSink["add"]> | ReadRefusal => {
    const forbidden = scan.scan(piece);
    if (forbidden) return { reason: forbidden };
    if (sink.octets + piece.length > maxOctets) return { reason: "too-big" };
    return sink.add(piece);
  };

  try {
    for await (const piece of stream as AsyncIterable<Buffer>) {
      if (refusal) continue;
      const taken = take(piece);
      refusal = taken instanceof Promise ? await taken : taken;
      if (refusal) await sink.drop();
    }
  } catch {
    await sink.drop();
    return { kind: "lost" };
  }
  if (refusal) return { kind: "refused", ...refusal };
  const content = sink.content();
  const atEnd = endRefusal(scan.end(), content.start);
  if (!atEnd) return { kind: "message", content };
  content.release();
  return { kind: "refused", ...atEnd };
}

function endRefusal(forbidden: ForbiddenOctet | undefined, start: Buffer): ReadRefusal | undefined {
  if (forbidden) return { reason: forbidden };
  return isHeaderTooBig(start) ? { reason: "header-too-big" } : undefined;
}

/** All who read the header read `start`, in which a header of this size has its end. */
function isHeaderTooBig(start: Buffer): boolean {
  if (start.length <= MAX_HEADER_OCTETS) return false;
  const head = start.subarray(0, MAX_HEADER_OCTETS + 2);
  return !(head[0] === 0x0d && head[1] === 0x0a) && head.indexOf("\r\n\r\n", 0, "latin1") < 0;
}
