// One connection of a mail server: octets in, requests one after the other, answers out. It holds a bounded number of octets,
// whoever is at the other end. Called by listener.ts.
import type { Socket } from "node:net";
import { type Protocol, ProtocolFault, type Said, type Session } from "./protocol.ts";

/** For a request that is begun: whoever begins one has all of it at hand. */
const REQUEST_SECONDS = 30;

export interface ConnectionOptions<Request> {
  readonly socket: Socket;
  readonly protocol: Protocol<Request>;
  /** For the log. */
  readonly peer: string;
  /** The client broke the protocol. */
  readonly onFault: (fault: string) => void;
  /** A bug of ours. */
  readonly onError: (error: unknown) => void;
}

/** Resolves when the connection is over; never rejects. */
export async function serveConnection<Request>(options: ConnectionOptions<Request>): Promise<void> {
  const { socket, protocol, peer, onFault, onError } = options;
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  const session = protocol.createSession(peer);
  // At once, not behind the answer that is under way: nobody waits for it any more.
  socket.once("close", () => session.end?.());
  try {
    await exchange(socket, protocol, session);
  } catch (error) {
    if (error instanceof ProtocolFault) onFault(error.message);
    else if (!isOfSocket(error, socket)) onError(error);
  } finally {
    socket.destroySoon();
  }
}

async function exchange<Request>(
  socket: Socket,
  protocol: Protocol<Request>,
  session: Session<Request>,
): Promise<void> {
  const reader = protocol.createReader();
  socket.setTimeout(protocol.idleSeconds * 1000, () => socket.destroy());
  let deadline: NodeJS.Timeout | undefined;
  const late = (): void =>
    void socket.destroy(new ProtocolFault(`a request was not whole after ${REQUEST_SECONDS} s`));
  try {
    // A client that has said all still gets its answers.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      const requests = reader.push(chunk as Buffer);
      if (requests.length > 0 || !reader.isBegun()) {
        clearTimeout(deadline);
        deadline = undefined;
      }
      if ((await answerAll(socket, session, requests)) === "over") return;
      // From the first octet on: one octet a second is no progress.
      if (reader.isBegun()) deadline ??= setTimeout(late, REQUEST_SECONDS * 1000);
    }
    await answerAll(socket, session, reader.end?.() ?? []);
  } finally {
    clearTimeout(deadline);
  }
}

/** Nothing further is read from a client who asks faster than we answer, or does not take the answers. */
async function answerAll<Request>(
  socket: Socket,
  session: Session<Request>,
  requests: readonly Request[],
): Promise<"goes-on" | "over"> {
  let said: (string | Uint8Array)[] = [];
  for (const request of requests) {
    const answering = session.answer(request);
    // An answer that takes time does not hold back those before it.
    if (answering instanceof Promise) {
      write(socket, said);
      said = [];
    }
    const answer: Said = answering instanceof Promise ? await answering : answering;
    if (socket.destroyed) return "over";
    if (typeof answer === "object" && "last" in answer) {
      write(socket, [...said, answer.last]);
      socket.end();
      return "over";
    }
    said.push(answer);
  }
  if (!write(socket, said)) await drained(socket);
  return socket.destroyed ? "over" : "goes-on";
}

/** In one piece: a write for each answer would be a system call for each. */
function write(socket: Socket, said: readonly (string | Uint8Array)[]): boolean {
  const pieces = said.filter((piece) => piece.length > 0);
  if (pieces.length === 0) return true;
  const isText = pieces.every((piece) => typeof piece === "string");
  return socket.write(isText ? pieces.join("") : Buffer.concat(pieces.map((piece) => Buffer.from(piece))));
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
    if (socket.destroyed || !socket.writableNeedDrain) done();
  });
}

/** A mail server that has gone in the middle of something is no news. */
function isOfSocket(error: unknown, socket: Socket): boolean {
  if (!(error instanceof Error)) return false;
  return error === socket.errored || ("code" in error && error.code === "ERR_STREAM_PREMATURE_CLOSE");
}
