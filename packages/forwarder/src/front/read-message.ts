// Reads the content of one DATA command: within the limits, without forbidden octets, into memory or a file. Made by
// transactions.ts. What is refused is read to its end and thrown away, so that the client gets its reply.
import { type Content, createOctetScan, type ForbiddenOctet, type OctetScan } from "@homing/mail";
import { MAX_HEADER_OCTETS } from "./limits.ts";
import { MessageSink, type SinkFailure, type Storage } from "./message-sink.ts";

export type ReadRefusal =
  | { readonly reason: ForbiddenOctet | "too-big" | "header-too-big" }
  /** `error` where the disk failed. */
  | SinkFailure;

export type ReadMessage =
  /** The caller is its holder. */
  { readonly kind: "message"; readonly content: Content } | ({ readonly kind: "refused" } & ReadRefusal);

export class MessageReader {
  readonly #maxOctets: number;
  readonly #sink: MessageSink;
  readonly #scan: OctetScan = createOctetScan();
  #refusal: ReadRefusal | undefined;
  #writing: Promise<void> | undefined;
  #isLost = false;

  constructor(maxOctets: number, storage: Storage) {
    this.#maxOctets = maxOctets;
    this.#sink = new MessageSink(storage);
  }

  /** The next piece, when the one before is written: the answer is a promise only where a file is written. */
  take(piece: Buffer): Promise<void> | undefined {
    if (this.#refusal || this.#isLost) return undefined;
    const taken = this.#taken(piece);
    if (!taken) return undefined;
    this.#writing = this.#settle(taken);
    return this.#writing;
  }

  /** All of it has come. */
  end(): ReadMessage {
    if (this.#refusal) return { kind: "refused", ...this.#refusal };
    const content = this.#sink.content();
    const atEnd = endRefusal(this.#scan.end(), content.start);
    if (!atEnd) return { kind: "message", content };
    content.release();
    return { kind: "refused", ...atEnd };
  }

  /** The client went away before the final dot: all is given back. */
  async lost(): Promise<void> {
    this.#isLost = true;
    await this.#writing;
    await this.#sink.drop();
  }

  #taken(piece: Buffer): ReturnType<MessageSink["add"]> | ReadRefusal {
    const forbidden = this.#scan.scan(piece);
    if (forbidden) return { reason: forbidden };
    if (this.#sink.octets + piece.length > this.#maxOctets) return { reason: "too-big" };
    return this.#sink.add(piece);
  }

  async #settle(taken: ReturnType<MessageSink["add"]> | ReadRefusal): Promise<void> {
    this.#refusal = await taken;
    if (this.#refusal) await this.#sink.drop();
  }
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
