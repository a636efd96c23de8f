// The service's side of its control socket: answers one question after the other, and bounds every client. Started by
// `homing serve` (service-control.ts).
import { lstat, unlink } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import { createBoundedLines } from "@homing/forwarder/bounded-lines";
import { type Answering, type Handlers, NotNow } from "./control-handlers.ts";
import {
  type AnswerLine,
  anyQuestion,
  controlPathProblem,
  MAX_QUESTION_OCTETS,
  parseLine,
  renderLine,
} from "./control-protocol.ts";

export interface ControlLimits {
  /** Connections at the same time: further ones are closed at once. */
  readonly clients: number;
  /** Without a whole question, or without taking any of the answer. What the service itself needs does not count. */
  readonly idleMs: number;
}

/** A few people and their scripts. A list takes one connection for each page, so nobody holds one while he reads. */
export const CONTROL_LIMITS: ControlLimits = { clients: 8, idleMs: 30_000 };

export interface ControlOptions {
  readonly path: string;
  readonly handlers: Handlers;
  readonly limits?: ControlLimits;
  /** Told of bugs. */
  readonly failed: (error: unknown) => void;
}

export type ControlStart =
  | { readonly kind: "listening"; close(): Promise<void> }
  /** In words: what, why, what to do. */
  | { readonly kind: "failed"; readonly message: string };

/** Whoever may use this user's files may ask, nobody else. */
const SOCKET_UMASK = 0o177;

/** Only for whoever has the state directory's lock: a socket that is there was left by a service that was killed. */
export async function startControl(options: ControlOptions): Promise<ControlStart> {
  const { path, limits = CONTROL_LIMITS, failed } = options;
  const tooLong = controlPathProblem(path);
  if (tooLong !== undefined) return { kind: "failed", message: tooLong };
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    serveClient(socket, { ...options, limits }).catch((error: unknown) => {
      socket.destroy();
      // A client that has gone is no news.
      if (!isSocketError(error)) failed(error);
    });
  });
  server.maxConnections = limits.clients;
  try {
    await removeLeftOver(path);
    await listen(server, path);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: "failed", message: `control socket ${path}: ${why}: check the stateDirectory` };
  }
  server.on("error", failed);
  return {
    kind: "listening",
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function removeLeftOver(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there === undefined) return;
  if (!there.isSocket()) throw new Error("something else has this name, move it away");
  await unlink(path);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.once("listening", () => {
      server.off("error", reject);
      resolve();
    });
    // The socket is made within the call, so that nothing else has this umask.
    const umask = process.umask(SOCKET_UMASK);
    try {
      server.listen(path);
    } finally {
      process.umask(umask);
    }
  });
}

function isSocketError(error: unknown): boolean {
  return error instanceof Error && "code" in error;
}

type Serving = Required<Pick<ControlOptions, "handlers" | "limits" | "failed">>;

interface Client {
  hasGone(): boolean;
  /** Resolves when it is on its way to the client, or the client has gone. */
  say(line: AnswerLine): Promise<void>;
  /** While this is under way, the client waits for the service. */
  keptWaiting<T>(work: Promise<T>): Promise<T>;
}

async function serveClient(socket: Socket, serving: Serving): Promise<void> {
  const lines = createBoundedLines(MAX_QUESTION_OCTETS);
  let waits = false;
  const idle = setTimeout(() => {
    if (waits && !socket.destroyed) idle.refresh();
    else socket.destroy();
  }, serving.limits.idleMs);
  const client: Client = {
    hasGone: () => socket.destroyed,
    async say(line) {
      if (socket.destroyed) return;
      idle.refresh();
      // Called also where the client has gone: then the socket is destroyed when this goes on.
      await new Promise<void>((resolve) => socket.write(renderLine(line), () => resolve()));
      idle.refresh();
    },
    async keptWaiting(work) {
      waits = true;
      try {
        return await work;
      } finally {
        waits = false;
        idle.refresh();
      }
    },
  };
  try {
    for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
      const whole = lines.push(chunk);
      if (!whole) {
        await client.say(notUnderstood(`a question has at most ${MAX_QUESTION_OCTETS} octets`));
        break;
      }
      for (const line of whole) {
        // What was asked in one go with the question before is asked by nobody now.
        if (client.hasGone()) return;
        await answer(line, client, serving);
      }
    }
    // Whatever else a client with a line without an end sends is not read.
    socket.end(() => socket.destroy());
  } finally {
    clearTimeout(idle);
  }
}

async function answer(line: string, client: Client, { handlers, failed }: Serving): Promise<void> {
  const question = parseLine(line, anyQuestion);
  if (!question) return await client.say(notUnderstood("a question is a JSON object with a kind"));
  const handle = handlers.get(question.kind);
  if (!handle)
    return await client.say(notUnderstood("this service does not know the question: is it an older one?"));
  const handled = handle(question);
  if (!handled.ok) return await client.say(notUnderstood(handled.message));
  try {
    await sayAll(handled.answering, client);
  } catch (error) {
    if (error instanceof NotNow) {
      await client.say({ kind: "error", reason: "unavailable", message: error.message });
      return;
    }
    failed(error);
    const message = "an error in the service: its log tells more";
    await client.say({ kind: "error", reason: "software", message });
  }
}

/** One at a time, as the client takes them; no more once it has gone. */
async function sayAll(answering: Answering, { hasGone, say, keptWaiting }: Client): Promise<void> {
  if (answering instanceof Promise) {
    const value = await keptWaiting(answering);
    return await say({ kind: "end", value: { ...value } });
  }
  try {
    while (!hasGone()) {
      const { done, value } = await keptWaiting(answering.next());
      await say({ kind: done ? "end" : "item", value: { ...value } });
      if (done) return;
    }
  } finally {
    await answering.return({});
  }
}

function notUnderstood(message: string): AnswerLine {
  return { kind: "error", reason: "question", message };
}
