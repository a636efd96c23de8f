// The content of one message on its way: small ones in memory, larger ones wherever whoever made it keeps them. Made by
// SMTP in and by the spool, read by whatever delivers. Nobody changes an octet of it.

export interface Content {
  readonly octets: number;
  /** Its beginning, with the header: all of a message that is in memory. */
  readonly start: Buffer;
  /** All of a message that is in memory, for whoever can do without one piece: `start` may have to be made of them. */
  readonly parts?: readonly Buffer[] | undefined;
  /** From the first octet to the last. Rejects where the octets cannot be had any more. */
  pieces(): AsyncIterable<Buffer>;
  /** For whoever keeps it longer than the call that passed it: each hold wants one release. */
  hold(): void;
  /** The last one gives memory and files back; nobody may read it then. */
  release(): void;
}

/** @param letGo called once, at the last release */
export function memoryContent(message: Buffer, letGo?: () => void): Content {
  return {
    octets: message.length,
    start: message,
    parts: [message],
    async *pieces() {
      yield message;
    },
    ...countedHolds(letGo),
  };
}

/** With header fields (each ends with CRLF) on top. It lives as long as `content` is held. */
export function withFields(content: Content, fields: readonly string[]): Content {
  const top = Buffer.from(fields.join(""), "utf8");
  const below = partsOf(content);
  const parts = below && [top, ...below];
  let start: Buffer | undefined;
  return {
    octets: top.length + content.octets,
    get start() {
      start ??= Buffer.concat([top, content.start]);
      return start;
    },
    parts,
    async *pieces() {
      if (parts) yield* parts;
      else {
        yield top;
        yield* content.pieces();
      }
    },
    hold: content.hold,
    release: content.release,
  };
}

/** Undefined where it is not in memory. */
export function partsOf(content: Content): readonly Buffer[] | undefined {
  if (content.parts) return content.parts;
  return content.start.length === content.octets ? [content.start] : undefined;
}

export function isInMemory(content: Content): boolean {
  return partsOf(content) !== undefined;
}

/** All of it in memory, for those who must have it whole. */
export async function wholeContent(content: Content): Promise<Buffer> {
  if (isInMemory(content)) return content.start;
  const pieces: Buffer[] = [];
  for await (const piece of content.pieces()) pieces.push(piece);
  return Buffer.concat(pieces, content.octets);
}

/** Whoever made it is the first holder. */
export function countedHolds(letGo: (() => void) | undefined): Pick<Content, "hold" | "release"> {
  let holders = 1;
  return {
    hold() {
      if (holders === 0) throw new Error("a content that was let go cannot be held");
      holders++;
    },
    release() {
      if (holders === 0) throw new Error("a content was released once too often");
      holders--;
      if (holders === 0) letGo?.();
    },
  };
}
