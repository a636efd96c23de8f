// A content whose octets the service has: it sends them in pieces, as they are wanted. Made by smtp-thread.ts for large messages.
import { type Content, countedHolds } from "@homing/mail";
import { type InPieces, PIECES_AHEAD } from "./messages.ts";

export interface PieceContent extends Content {
  push(octets: Uint8Array): void;
  end(): void;
  fail(cause: string): void;
}

/**
 * Stands for the beginning, of which SMTP out asks before it reads the rest: has it octets of 8 bits, and has a header any?
 * One without a type is that of a text, which has no parts with headers of their own. Shorter than whatever goes in pieces.
 */
function standIn({ isAscii, hasAsciiHeaders }: Omit<InPieces, "kind">): Buffer {
  const header = hasAsciiHeaders ? "\r\n\r\n" : "";
  return Buffer.from(header + (isAscii ? " " : "\x80"), "latin1");
}

/** @param wants asks for one piece more */
export function createPieceContent(content: Omit<InPieces, "kind">, wants: () => void): PieceContent {
  const { octets } = content;
  const waiting: Buffer[] = [];
  let came = 0;
  let isRead = false;
  let isOver = false;
  let failure: string | undefined;
  let wake = (): void => {};
  async function* pieces(): AsyncGenerator<Buffer> {
    // A message that was begun is not sent again (destination.ts).
    if (isRead) throw new Error("a content that comes in pieces is read once");
    isRead = true;
    for (let ahead = 0; ahead < PIECES_AHEAD; ahead++) wants();
    for (;;) {
      const piece = waiting.shift();
      if (piece) {
        yield piece;
        wants();
      } else if (failure !== undefined) throw new Error(failure);
      else if (isOver) return;
      else
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
    }
  }
  return {
    octets,
    start: standIn(content),
    pieces,
    ...countedHolds(undefined),
    push({ buffer, byteOffset, byteLength }) {
      came += byteLength;
      waiting.push(Buffer.from(buffer, byteOffset, byteLength));
      wake();
    },
    end() {
      if (came !== octets) failure = `${came} octets came of a content of ${octets}`;
      isOver = true;
      wake();
    },
    fail(cause) {
      failure = cause;
      wake();
    },
  };
}
