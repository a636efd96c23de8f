// The content of one message on its way: small ones in memory, larger ones wherever whoever made it keeps them. Made by
// SMTP in and by the spool, read by whatever delivers. Nobody changes an octet of it.

export interface Content {
  readonly octets: number;
  /** Its beginning, with the header. */
  readonly start: Buffer;
  /** All of a message that is in memory. */
  readonly parts?: readonly Buffer[] | undefined;
  /** From the first octet to the last. Rejects where the octets cannot be had any more. */
  pieces(): AsyncIterable<Buffer>;
  /** For whoever keeps it longer than the call that passed it: each hold wants one release. */
  hold(): void;
  /** The last one gives memory and files back; nobody may read it then. */
  release(): void;
}

/** Parts up to here are copied into one: it costs less than what a list of them costs later. */
const COPIED_OCTETS = 16 * 1024;

/** @param letGo called once, at the last release */
export function memoryContent(message: Buffer | readonly Buffer[], letGo?: () => void): Content {
  const parts = Buffer.isBuffer(message) ? [message] : withWholeHeader(message);
  return {
    octets: parts.reduce((sum, { length }) => sum + length, 0),
    start: parts[0] ?? Buffer.alloc(0),
    parts,
    async *pieces() {
      yield* parts;
    },
    ...countedHolds(letGo),
  };
}

/** The header is in the first part. A large message, whose header came with its first octets, is not copied. */
function withWholeHeader(parts: readonly Buffer[]): readonly Buffer[] {
  const [first, ...others] = parts;
  if (!first || others.length === 0) return parts;
  const octets = parts.reduce((sum, { length }) => sum + length, 0);
  const isWhole = octets > COPIED_OCTETS && first.includes("\r\n\r\n", 0, "latin1");
  return isWhole ? parts : [Buffer.concat(parts, octets)];
}

/** With header fields (each ends with CRLF) on top. It lives as long as `content` is held. */
export function withFields(content: Content, fields: readonly string[]): Content {
  const top = Buffer.from(fields.join(""), "utf8");
  const below = partsOf(content);
  const parts = below && [top, ...below];
  return new ChangedContent(content, {
    octets: top.length + content.octets,
    start: () => Buffer.concat([top, content.start]),
    parts,
    async *pieces() {
      if (parts) yield* parts;
      else {
        yield top;
        yield* content.pieces();
      }
    },
  });
}

type Changed = Pick<Content, "octets" | "parts" | "pieces"> & { readonly start: () => Buffer };

/**
 * Another content's octets, changed; it lives as long as that is held. A class: an object with a `get` of its own has a hidden
 * class to itself, which keeps the octets until the whole heap is cleared.
 */
export class ChangedContent implements Content {
  readonly octets: number;
  readonly parts: readonly Buffer[] | undefined;
  readonly pieces: () => AsyncIterable<Buffer>;
  readonly hold: () => void;
  readonly release: () => void;
  readonly #makeStart: () => Buffer;
  #start: Buffer | undefined;

  constructor({ hold, release }: Content, { octets, parts, pieces, start }: Changed) {
    this.octets = octets;
    this.parts = parts;
    this.pieces = pieces;
    this.hold = hold;
    this.release = release;
    this.#makeStart = start;
  }

  /** Made when somebody asks for it: a copy. */
  get start(): Buffer {
    this.#start ??= this.#makeStart();
    return this.#start;
  }
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
  const pieces: Buffer[] = [];
  for await (const piece of content.pieces()) pieces.push(piece);
  return pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, content.octets);
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
