// Writes the content of a message, after 354: dots doubled, the final dot behind it. Called by out-connection.ts.
import { isAscii } from "node:buffer";
import type { Socket } from "node:net";
import type { Content } from "@homing/mail";
import { gather } from "../gathered-writes.ts";
import { createDotStuffer } from "./dot-stuffing.ts";

/** Smaller messages are written as one buffer: a copy costs less than a list of two. */
const COPIED_OCTETS = 16 * 1024;

export function writeWhole(socket: Socket, parts: readonly Buffer[]): void {
  const { stuff, end } = createDotStuffer();
  const stuffed = parts.map(stuff);
  stuffed.push(end());
  const octets = stuffed.reduce((sum, { length }) => sum + length, 0);
  // Together: not the end alone in a segment of its own.
  gather(socket);
  if (octets <= COPIED_OCTETS) socket.write(Buffer.concat(stuffed, octets));
  else for (const part of stuffed) socket.write(part);
}

interface PiecesWatch {
  /** The attempt is over. */
  readonly stopped: () => boolean;
  readonly takesEightBit: boolean;
  readonly eightBit: () => void;
  readonly dotSent: () => void;
  readonly failed: (error: unknown) => void;
}

/** Piece by piece, at the pace of the server. */
export async function writePieces(socket: Socket, message: Content, on: PiecesWatch): Promise<void> {
  const { stuff, end } = createDotStuffer();
  // The attempt may end, and its message be let go, while a piece is read.
  message.hold();
  try {
    for await (const piece of message.pieces()) {
      if (on.stopped()) return;
      if (!on.takesEightBit && !isAscii(piece)) return on.eightBit();
      if (piece.length > 0 && !socket.write(stuff(piece))) await writable(socket);
    }
    if (on.stopped()) return;
    socket.write(end());
    on.dotSent();
  } catch (error) {
    on.failed(error);
  } finally {
    message.release();
  }
}

function writable(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done);
      socket.off("close", done);
      resolve();
    };
    if (socket.destroyed) return resolve();
    socket.once("drain", done);
    socket.once("close", done);
  });
}
