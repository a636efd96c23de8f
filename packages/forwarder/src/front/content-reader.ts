// DATA octet by octet: finds the final dot and takes stuffed dots away (RFC 5321 §4.5.2). Only CRLF.CRLF ends a message.
// A line that begins with a single dot and goes on is kept as it came: its client does not stuff, and signed it so.
// Called by client-input.ts with each chunk, wherever it ends.

export interface ContentRead {
  /** Content, with stuffed dots taken away. What may be part of the end is held back. */
  readonly content: Buffer;
  /** What came behind the final dot; undefined while the message goes on. */
  readonly rest?: Buffer;
}

export interface ContentReader {
  read(chunk: Buffer): ContentRead;
}

const LINE_WITH_DOT = "\r\n.";
const CR = 0x0d;
const LF = 0x0a;
const DOT = 0x2e;
const LINE_END = Buffer.from("\r\n");
const NOTHING = Buffer.alloc(0);

export function createContentReader(): ContentReader {
  // As if a line end stood before the message, which is not part of it.
  let held: Buffer = LINE_END;
  let notContent = LINE_END.length;

  const withHeld = (chunk: Buffer): Buffer => {
    if (held.length === 0) return chunk;
    // Most messages begin with no dot: then the line end before them is of no account.
    const isPlain = held === LINE_END && chunk.length > 0 && chunk[0] !== DOT;
    if (!isPlain) return Buffer.concat([held, chunk]);
    notContent = 0;
    return chunk;
  };

  const contentOf = (parts: readonly Buffer[]): Buffer => {
    const all = parts.length === 1 ? (parts[0] as Buffer) : Buffer.concat(parts);
    const skip = Math.min(notContent, all.length);
    notContent -= skip;
    return skip === 0 ? all : all.subarray(skip);
  };

  return {
    read(chunk) {
      const octets = withHeld(chunk);
      const parts: Buffer[] = [];
      let from = 0;
      for (let at = octets.indexOf(LINE_WITH_DOT, 0, "latin1"); at >= 0; ) {
        const behind = at + LINE_WITH_DOT.length;
        if (octets[behind] === CR && octets[behind + 1] === LF) {
          held = NOTHING;
          parts.push(octets.subarray(from, at + 2));
          return { content: contentOf(parts), rest: octets.subarray(behind + 2) };
        }
        const isOpen = behind >= octets.length || (octets[behind] === CR && behind + 1 >= octets.length);
        if (isOpen) return hold(at);
        if (octets[behind] === DOT) {
          parts.push(octets.subarray(from, behind));
          from = behind + 1;
        }
        at = octets.indexOf(LINE_WITH_DOT, behind, "latin1");
      }
      return hold(octets.length - lineEndAtEnd(octets, from));

      function hold(at: number): ContentRead {
        parts.push(octets.subarray(from, at));
        held = octets.subarray(at);
        return { content: contentOf(parts) };
      }
    },
  };
}

/** A dot may follow: the octets of CRLF, or of CR, at the end. */
function lineEndAtEnd(octets: Buffer, from: number): number {
  const last = octets.length - 1;
  if (last >= from && octets[last] === CR) return 1;
  return last - 1 >= from && octets[last] === LF && octets[last - 1] === CR ? 2 : 0;
}
