// A small SMTP server in this process that notes envelopes, and when the end of each message came.
// Called by main.ts; verify.ts and latency.ts read what came.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";

export interface Arrival {
  /** `performance.now()` when its last octet was read. */
  readonly at: number;
  readonly from: string;
  readonly to: string;
  readonly message: string;
}

export interface TimingSink extends AsyncDisposable {
  readonly port: number;
  /** By the local part of its Message-Id; a report by that of the message which it is about. */
  readonly arrivals: ReadonlyMap<string, Arrival>;
}

export async function startTimingSink(): Promise<TimingSink> {
  const arrivals = new Map<string, Arrival>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    // A connection that its client keeps open and does not use is closed after a while, as servers do.
    converse(new Wire(socket), arrivals)
      .catch(() => {})
      .finally(() => socket.destroy());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    arrivals,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}

const REPLIES: Readonly<Record<string, string>> = {
  EHLO: "250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
  DATA: "354 go on\r\n",
  QUIT: "221 bye\r\n",
};

async function converse(wire: Wire, arrivals: Map<string, Arrival>): Promise<void> {
  let [from, to] = ["", ""];
  wire.send("220 sink.example ESMTP\r\n");
  for (;;) {
    const line = await wire.line();
    if (line === undefined) return;
    const verb = line.slice(0, 4).toUpperCase();
    wire.send(REPLIES[verb] ?? "250 ok\r\n");
    if (verb === "MAIL") from = pathIn(line);
    if (verb === "RCPT") to = pathIn(line);
    if (verb === "DATA") {
      const message = await wire.until("\r\n.\r\n");
      if (message === undefined) return;
      arrivals.set(idOf(message), { at: performance.now(), from, to, message });
      wire.send("250 ok\r\n");
    }
    if (verb === "QUIT") return;
  }
}

function pathIn(line: string): string {
  return line.slice(line.indexOf("<") + 1, line.indexOf(">"));
}

function idOf(message: string): string {
  // A report has one of its own, and below it that of the message that it returns.
  return [...message.matchAll(/^message-id: *<([^@>]*)/gim)].at(-1)?.[1] ?? "";
}
