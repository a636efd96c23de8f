// Asks the reader process for .forward files: one connection that stays, made again when it is lost. Called by the
// forwarder's routes. Never rejects: a reader that is away is `unavailable`, and the mail waits.
import { createConnection, type Socket } from "node:net";
import { createBoundedLines } from "./bounded-lines.ts";
import { MAX_ANSWER_OCTETS, parseAnswer, renderRequest } from "./forward-protocol.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";
import { isUserName } from "./homes.ts";

export interface ForwardClient extends ForwardReader {
  /** What is still asked becomes `unavailable`. */
  close(): void;
}

export interface ForwardClientOptions {
  /** For one answer, with connecting. */
  readonly timeLimitMs?: number;
}

const TIME_LIMIT_MS = 5_000;
/** More than the forwarder has clients: behind it stands a disk that does not answer. */
const MAX_WAITING = 1_000;

interface Waiter {
  readonly user: string;
  readonly settle: (answer: ForwardAnswer) => void;
  readonly timer: NodeJS.Timeout;
  /** A connection that was idle may be closed just as we write: once more, on a new one. */
  mayRetry: boolean;
}

interface Connection {
  readonly socket: Socket;
  readonly waiting: Set<Waiter>;
  up: boolean;
  cause: string;
}

export function createForwardClient(socketPath: string, options: ForwardClientOptions = {}): ForwardClient {
  const timeLimitMs = options.timeLimitMs ?? TIME_LIMIT_MS;
  /** One question a user, for all who ask meanwhile: the reader takes only so many of a client. */
  const asking = new Map<string, Promise<ForwardAnswer>>();
  let current: Connection | undefined;
  let closed = false;

  const unavailable = (why: string): ForwardAnswer => ({
    kind: "unavailable",
    cause: `.forward reader at ${socketPath}: ${why}`,
  });

  const connect = (): Connection => {
    const socket = createConnection(socketPath);
    const connection: Connection = { socket, waiting: new Set(), up: false, cause: "closed the connection" };
    const lines = createBoundedLines(MAX_ANSWER_OCTETS);
    socket.on("connect", () => {
      connection.up = true;
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      connection.cause = error.code ?? error.message;
    });
    socket.on("data", (chunk) => {
      for (const line of lines.push(chunk) ?? [""]) if (!takeAnswer(connection, line)) return;
    });
    socket.on("close", () => lost(connection));
    return connection;
  };

  const takeAnswer = (connection: Connection, line: string): boolean => {
    const parsed = parseAnswer(line);
    if (!parsed) {
      connection.cause = "what it says is no answer: is it the same version?";
      connection.socket.destroy();
      return false;
    }
    // Without a waiter it comes too late.
    for (const waiter of connection.waiting) {
      if (waiter.user !== parsed.user) continue;
      connection.waiting.delete(waiter);
      waiter.settle(parsed.answer);
      break;
    }
    return true;
  };

  const lost = (connection: Connection): void => {
    if (current === connection) current = undefined;
    for (const waiter of connection.waiting) {
      if (waiter.mayRetry && !closed) send(waiter, false);
      else waiter.settle(unavailable(connection.cause));
    }
    connection.waiting.clear();
  };

  const send = (waiter: Waiter, again: boolean): void => {
    // One that is closing, and has not said so yet, is of no use.
    if (!current || current.socket.destroyed || current.socket.readableEnded) current = connect();
    waiter.mayRetry = again && current.up;
    current.waiting.add(waiter);
    current.socket.write(renderRequest(waiter.user));
  };

  const ask = (user: string): Promise<ForwardAnswer> => {
    const { promise, resolve } = Promise.withResolvers<ForwardAnswer>();
    const waiter: Waiter = {
      user,
      mayRetry: false,
      timer: setTimeout(() => {
        current?.waiting.delete(waiter);
        resolve(unavailable(`no answer within ${timeLimitMs / 1000} s`));
      }, timeLimitMs),
      settle(answer) {
        clearTimeout(waiter.timer);
        resolve(answer);
      },
    };
    send(waiter, true);
    return promise;
  };

  return {
    async read(user) {
      // Such a name has no home, and the reader would say the same.
      if (!isUserName(user)) return { kind: "no-user" };
      const asked = asking.get(user);
      if (asked) return await asked;
      if (closed) return unavailable("not asked any more");
      if ((current?.waiting.size ?? 0) >= MAX_WAITING) return unavailable("too many questions wait already");
      const answer = ask(user).finally(() => asking.delete(user));
      asking.set(user, answer);
      return await answer;
    },
    close() {
      closed = true;
      if (current) current.cause = "not asked any more";
      current?.socket.destroy();
    },
  };
}
