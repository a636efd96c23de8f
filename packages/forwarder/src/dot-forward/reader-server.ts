// The reader's side of its socket. It runs with the right to read everything, so it says little: parsed targets, and what
// is wrong with a file. Every client is bounded. Called by `homing dotforward`.
import { createServer, type Server, type Socket } from "node:net";
import { createBoundedLines } from "./bounded-lines.ts";
import { MAX_REQUEST_OCTETS, parseRequest, renderAnswer } from "./forward-protocol.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";

export interface ReaderLimits {
  /** Connections at the same time. */
  readonly clients: number;
  /** Requests of one client that are not answered yet: it is not read from until one is. */
  readonly requests: number;
  /** Without a whole request; also for a client that does not take its answers. */
  readonly idleMs: number;
}

/** The forwarder needs one connection: the others are for its successor at a restart, and for a person's test. */
export const READER_LIMITS: ReaderLimits = { clients: 16, requests: 32, idleMs: 60_000 };

export type ListenPlace = { readonly path: string } | { readonly fd: number };

export interface ReaderServer {
  close(): Promise<void>;
}

export interface ReaderServerOptions {
  /** A path, or a file descriptor that the service manager listens on. */
  readonly place: ListenPlace;
  readonly reader: ForwardReader;
  readonly limits?: ReaderLimits;
  /** A bug, in words. */
  readonly onError: (error: unknown) => void;
}

/** Rejects when the socket cannot be had. */
export async function startReaderServer({
  place,
  reader,
  limits = READER_LIMITS,
  onError,
}: ReaderServerOptions): Promise<ReaderServer> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    serveClient(socket, { reader, limits, onError }).catch((error: unknown) => {
      socket.destroy();
      // A client that has gone in the middle of a line is no news.
      if (!isSocketError(error)) onError(error);
    });
  });
  server.maxConnections = limits.clients;
  await listen(server, place);
  server.on("error", onError);
  return {
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

function listen(server: Server, place: ListenPlace): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function isSocketError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}

type Serving = Required<Pick<ReaderServerOptions, "reader" | "limits" | "onError">>;

async function serveClient(socket: Socket, { reader, limits, onError }: Serving): Promise<void> {
  const lines = createBoundedLines(MAX_REQUEST_OCTETS);
  const idle = setTimeout(() => socket.destroy(), limits.idleMs);
  const running = new Set<Promise<void>>();

  const answer = async (user: string): Promise<void> => {
    const answered = await reader.read(user).catch((error: unknown): ForwardAnswer => {
      onError(error);
      return { kind: "unavailable", cause: "an error in the reader, see its log" };
    });
    if (!socket.destroyed) socket.write(renderAnswer({ user, answer: answered }));
  };
  try {
    // A client that has said all still gets its answers.
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      const whole = lines.push(chunk);
      if (!whole) return void socket.destroy();
      for (const line of whole) {
        const user = parseRequest(line);
        if (user === undefined) return void socket.destroy();
        idle.refresh();
        const task: Promise<void> = answer(user).finally(() => running.delete(task));
        running.add(task);
        // Nothing further is taken from a client who asks faster than the disk answers, or does not take its answers.
        if (running.size >= limits.requests) await Promise.race(running);
        if (socket.writableNeedDrain) await drained(socket);
        if (socket.destroyed) return;
      }
    }
    await Promise.all(running);
    socket.end();
  } finally {
    clearTimeout(idle);
  }
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}
