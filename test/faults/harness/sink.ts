// A next hop for the fault suite: it takes messages of any size, counts copies, and fails as it is told. Called by the stories.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { unstuffed } from "./dots.ts";
import { judge, tokenOfPath } from "./letters.ts";
import { createSmtpReader } from "./smtp-reader.ts";

/** In place of a reply: the connection ends. */
export const GOES_AWAY = "(goes away)";
/** As that, without the message. */
export const LOSES_IT = "(loses it)";
/** In place of a reply: nothing, for ever. */
export const SAYS_NOTHING = "(says nothing)";

/** One transaction, as far as it has come. */
export interface Offered {
  readonly reversePath: string;
  readonly recipient: string;
  /** "" for what no story sent, such as a DSN. */
  readonly token: string;
  /** The how manieth transaction with this token it is, from 1. */
  readonly nth: number;
}

type Says = (offered: Offered) => string | undefined | Promise<string | undefined>;

export interface SinkOptions {
  /** A reply, or what it does instead; undefined to accept. */
  readonly greeting?: () => string | undefined;
  readonly rcpt?: Says;
  readonly dot?: Says;
  readonly port?: number;
  /** Default: 127.0.0.1. */
  readonly host?: string;
}

export interface Arrived extends Offered {
  readonly message: Buffer;
}

export interface Sink extends AsyncDisposable {
  readonly port: number;
  /** By token: messages that were answered 250, or whose answer was kept back. */
  readonly copies: ReadonlyMap<string, number>;
  /** The same tokens, once for each copy, in their order. */
  readonly answered: readonly string[];
  readonly torn: readonly string[];
  /** Connections at the same time, at most. */
  readonly mostConnected: () => number;
  /** The last hundred of those, in their order; and every one without a token. */
  readonly arrived: readonly Arrived[];
  /** From now on. */
  behave(options: SinkOptions): void;
  /** Resolves when nobody is connected: what a killed process had sent is in, too. */
  quiet(): Promise<void>;
}

const KEPT = 100;

export async function startSink(first: SinkOptions = {}): Promise<Sink> {
  let says = first;
  const tries = new Map<string, number>();
  const copies = new Map<string, number>();
  const answered: string[] = [];
  const torn: string[] = [];
  const arrived: Arrived[] = [];
  const sockets = new Set<Socket>();
  let mostConnected = 0;
  const sessions = new Set<Promise<void>>();

  const arrive = (offered: Offered, message: Buffer): void => {
    const judged = judge(message);
    if (judged) {
      copies.set(judged.token, (copies.get(judged.token) ?? 0) + 1);
      answered.push(judged.token);
    }
    if (judged && !judged.isWhole) torn.push(judged.token);
    arrived.push({ ...offered, message });
    const oldest = arrived.findIndex(({ token }) => token !== "");
    if (arrived.length > KEPT && oldest >= 0) arrived.splice(oldest, 1);
  };
  const offer = (reversePath: string, recipient: string): Offered => {
    const token = tokenOfPath(reversePath) ?? "";
    const nth = (tries.get(token) ?? 0) + 1;
    tries.set(token, nth);
    return { reversePath, recipient, token, nth };
  };

  const session = async (socket: Socket): Promise<void> => {
    const reader = createSmtpReader(socket);
    /** False where nothing more is to be said. */
    const say = (reply: string): boolean => {
      if (reply === GOES_AWAY || reply === LOSES_IT) socket.destroy();
      if (reply.startsWith("(")) return false;
      if (socket.writable) socket.write(`${reply}\r\n`);
      return true;
    };
    if (!say(says.greeting?.() ?? "220 hop.example")) return;
    let reversePath = "";
    let offered: Offered | undefined;
    for (let line = await reader.line(); line !== undefined; line = await reader.line()) {
      const verb = line.split(" ", 1)[0] ?? "";
      const path = /<([^>]*)>/.exec(line)?.[1] ?? "";
      if (verb === "EHLO") say("250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8");
      else if (verb === "MAIL") {
        reversePath = path;
        offered = undefined;
        say("250 2.1.0 ok");
      } else if (verb === "RCPT") {
        const one = offer(reversePath, path);
        const refusal = await says.rcpt?.(one);
        if (!refusal) offered = one;
        if (!say(refusal ?? "250 2.1.5 ok")) return;
      } else if (verb === "DATA" && !offered) say("554 5.5.1 no recipients");
      else if (verb === "DATA" && offered) {
        say("354 go on");
        const message = await reader.message();
        if (!message) return;
        const reply = (await says.dot?.(offered)) ?? "250 2.0.0 ok";
        if (reply !== LOSES_IT && !/^[45]/.test(reply)) arrive(offered, unstuffed(message));
        offered = undefined;
        if (!say(reply)) return;
      } else if (verb === "RSET" || verb === "NOOP") say("250 2.0.0 ok");
      else if (verb === "QUIT") {
        say("221 2.0.0 bye");
        socket.end();
      } else say("500 5.5.2 what?");
    }
    socket.destroy();
  };

  const server = createServer((socket) => {
    sockets.add(socket);
    mostConnected = Math.max(mostConnected, sockets.size);
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    const running = session(socket).finally(() => sessions.delete(running));
    sessions.add(running);
  });
  server.listen(first.port ?? 0, first.host ?? "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    copies,
    answered,
    torn,
    mostConnected: () => mostConnected,
    arrived,
    behave(options) {
      says = options;
    },
    async quiet() {
      while (sessions.size > 0) await Promise.all(sessions);
    },
    [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
