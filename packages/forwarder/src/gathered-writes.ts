// What is said to many peers in one turn of the event loop, written at its end, one right after the other. A write wakes
// the program at the other end; if that is awake from the write before, the next one costs half. With fifty clients that
// is a sixth of all messages. Called by smtp-in/connection.ts and for next hops.
import type { Socket } from "node:net";
import { atEndOfTurn } from "./end-of-turn.ts";

let gathering: Socket[] = [];
const writeSoon = atEndOfTurn(writeAll);

/** Whatever is written to the socket until the end of this turn leaves then, in one piece. `end()` writes it at once. */
export function gather(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  gathering.push(socket);
  writeSoon();
}

/** For who hands the socket over within this turn. */
export function writeNow(socket: Socket): void {
  while (socket.writableCorked > 0) socket.uncork();
}

function writeAll(): void {
  const sockets = gathering;
  gathering = [];
  for (const socket of sockets) socket.uncork();
}
