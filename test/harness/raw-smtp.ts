// SMTP by hand, both ends: a client that says exactly what a story wants said and keeps every octet that it hears, and
// a next hop that answers exactly what a story wants answered. Called by stories about what Homing says.
import { EventEmitter, once } from "node:events";
import type { AddressInfo } from "node:net";
import { createConnection, createServer, type Socket } from "node:net";

const REPLY_SECONDS = 15;

export interface RawClient extends AsyncDisposable {
  /** Sends a line and gives the reply to it, of one line or several. */
  say(line: string): Promise<string>;
  /** Sends octets as they are. */
  write(octets: string | Uint8Array): void;
  /** The next reply. */
  hear(): Promise<string>;
  /** Everything heard until now. */
  heard(): Buffer;
  /** DATA with a message (dots are stuffed), and the reply to the final dot. */
  data(message: string | Uint8Array): Promise<string>;
}

/** Connects, and hears the greeting. */
export async function rawClient(port: number): Promise<RawClient> {
  const socket = createConnection(port, "127.0.0.1");
  let heard = Buffer.alloc(0);
  let taken = 0;
  let closed = false;
  const news = new EventEmitter();
  socket.on("data", (part: Buffer) => {
    heard = Buffer.concat([heard, part]);
    news.emit("news");
  });
  socket.on("close", () => {
    closed = true;
    news.emit("news");
  });
  socket.on("error", () => {});

  const nextReply = (): string | undefined => {
    const text = heard.toString("latin1", taken);
    const reply = /^(?:\d{3}-[^\n]*\n)*\d{3}(?: [^\n]*)?\n/.exec(text)?.[0];
    if (reply === undefined) return closed ? "closed" : undefined;
    taken += reply.length;
    return reply.trimEnd();
  };
  const hear = async (): Promise<string> => {
    const late = AbortSignal.timeout(REPLY_SECONDS * 1000);
    for (;;) {
      const reply = nextReply();
      if (reply !== undefined) return reply;
      await once(news, "news", { signal: late });
    }
  };
  const say = (line: string): Promise<string> => {
    socket.write(`${line}\r\n`, "utf8");
    return hear();
  };
  const client: RawClient = {
    say,
    hear,
    write: (octets) => void socket.write(octets),
    heard: () => heard,
    async data(message) {
      const asked = await say("DATA");
      if (!asked.startsWith("354")) return asked;
      socket.write(stuffed(message));
      socket.write("\r\n.\r\n".slice(endsWithCrlf(message) ? 2 : 0));
      return hear();
    },
    async [Symbol.asyncDispose]() {
      socket.destroy();
    },
  };
  await hear();
  return client;
}

/** One whole transaction; gives the reply that ended it. */
export async function transact(
  client: RawClient,
  {
    from,
    to,
    message,
  }: { readonly from: string; readonly to: string; readonly message: string | Uint8Array },
): Promise<string> {
  for (const line of ["EHLO client.example", `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
    const reply = await client.say(line);
    if (!reply.startsWith("250")) return reply;
  }
  return client.data(message);
}

/** RFC 5321 §4.5.2. */
function stuffed(message: string | Uint8Array): Buffer {
  const text = Buffer.from(message).toString("latin1");
  return Buffer.from(text.replace(/(^|\r\n)\./g, "$1.."), "latin1");
}

function endsWithCrlf(message: string | Uint8Array): boolean {
  return message.length === 0 || Buffer.from(message).subarray(-2).toString("latin1") === "\r\n";
}

/** What to answer at each point; `drop` closes the connection instead, `silence` says nothing. */
export interface Script {
  readonly greeting?: string;
  readonly ehlo?: string;
  readonly mail?: string;
  readonly rcpt?: string;
  readonly data?: string;
  readonly dot?: string;
}

export interface ScriptedHop extends AsyncDisposable {
  readonly port: number;
  /** What became of each transaction: its command lines, and the message as it came, dots still stuffed. */
  readonly commands: readonly string[];
  readonly messages: readonly Buffer[];
}

const AGREEABLE: Required<Script> = {
  greeting: "220 hop ready",
  ehlo: "250-hop\r\n250-8BITMIME\r\n250 SMTPUTF8",
  mail: "250 2.1.0 ok",
  rcpt: "250 2.1.5 ok",
  data: "354 go on",
  dot: "250 2.0.0 ok",
};

export async function scriptedHop(script: Script = {}): Promise<ScriptedHop> {
  const replies = { ...AGREEABLE, ...script };
  const commands: string[] = [];
  const messages: Buffer[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket, replies, commands, messages);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    commands,
    messages,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

function serve(socket: Socket, replies: Required<Script>, commands: string[], messages: Buffer[]): void {
  let pending = "";
  let inData = false;
  const answer = (reply: string): void => {
    if (reply === "silence") return;
    if (reply === "drop") socket.destroy();
    else socket.write(`${reply}\r\n`);
  };
  const command = (line: string): void => {
    commands.push(line);
    const verb = line.slice(0, 4).toUpperCase();
    if (verb === "DATA") inData = replies.data.startsWith("354");
    if (verb === "QUIT") return void socket.end("221 2.0.0 bye\r\n");
    const point = { EHLO: "ehlo", HELO: "ehlo", MAIL: "mail", RCPT: "rcpt", DATA: "data" }[verb] ?? "mail";
    answer(replies[point as keyof Script]);
  };
  socket.on("data", (part: Buffer) => {
    pending += part.toString("latin1");
    for (;;) {
      const end = inData ? `\r\n${pending}`.indexOf("\r\n.\r\n") : pending.indexOf("\r\n");
      if (end < 0) return;
      const text = pending.slice(0, end);
      pending = pending.slice(end + (inData ? 3 : 2));
      if (!inData) command(text);
      else {
        inData = false;
        messages.push(Buffer.from(text, "latin1"));
        answer(replies.dot);
      }
    }
  });
  answer(replies.greeting);
}
