// Asks the running daemon for the rewritten sender, over its readsocket: one line there, one line back. Called by `homing pipe`.
import { connect, type Socket } from "node:net";
import { parseHostPort } from "@homing/forwarder/host-port";
import { parseRewritingAnswer, type RewritingAnswer } from "@homing/mta-adapters/pipe";

/** A daemon on this machine answers in milliseconds. Whoever waits here holds a slot of the local delivery. */
const ANSWER_MS = 10_000;
const MAX_ANSWER_OCTETS = 4096;

/** @param place a UNIX path, which has a slash, or HOST:PORT. Never rejects. */
export async function askDaemon(
  place: string,
  question: string,
  answerMs: number = ANSWER_MS,
): Promise<RewritingAnswer> {
  const server = place.includes("/") ? { path: place } : parseHostPort(place);
  if (!server) return { kind: "wrong", why: "it is no path and no HOST:PORT" };
  const socket = connect(server);
  const deadline = setTimeout(() => socket.destroy(new Error("no answer in time")), answerMs);
  try {
    // Not end(): a server that hears both at once might go before it has answered.
    socket.write(question);
    return parseRewritingAnswer(await everythingFrom(socket));
  } catch (error) {
    return { kind: "later", why: error instanceof Error ? error.message : String(error) };
  } finally {
    clearTimeout(deadline);
    socket.destroy();
  }
}

async function everythingFrom(socket: Socket): Promise<string> {
  const pieces: Buffer[] = [];
  let octets = 0;
  for await (const piece of socket as AsyncIterable<Buffer>) {
    pieces.push(piece);
    octets += piece.length;
    if (octets > MAX_ANSWER_OCTETS) throw new Error("an answer without end");
  }
  return Buffer.concat(pieces).toString("utf8");
}
