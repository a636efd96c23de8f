// A next hop of real servers that answers each recipient as it is told and keeps what it takes. It bears what Postfix and Exim
// do: QUIT right behind the final dot, and Exim closes its half of the connection with it. Called by the stories about bounces.

import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { Wire } from "../../packages/forwarder/src/testing/wire.ts";

/** Without DSN: whoever passes a message on here and was asked for a report has to write it himself (RFC 3461 §5.2.2). */
const EHLO = "250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SIZE";
const REPLIES: Readonly<Record<string, string>> = { EHLO, MAIL: "250 2.1.0 ok", RSET: "250 2.0.0 ok" };

export interface Taken {
  readonly reversePath: string;
  readonly recipient: string;
  /** As on the wire, without the final dot. */
  readonly message: string;
}

export interface ScriptedHop extends AsyncDisposable {
  /** On 127.0.0.1. */
  readonly port: number;
  readonly taken: readonly Taken[];
}

/** What is said to RCPT; undefined to take it. */
export type Refusal = (recipient: string) => string | undefined | Promise<string | undefined>;

export async function startScriptedHop(refusal: Refusal = () => undefined): Promise<ScriptedHop> {
  const taken: Taken[] = [];
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    // A client that is silent for long is a session that ends.
    void session(new Wire(socket), refusal, taken)
      .catch(() => undefined)
      .finally(() => socket.end());
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    taken,
    [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

async function session(wire: Wire, refusal: Refusal, taken: Taken[]): Promise<void> {
  const say = (reply: string): void => wire.send(`${reply}\r\n`);
  let reversePath = "";
  let recipients: string[] = [];
  say("220 hop.example ESMTP");
  for (;;) {
    const line = await wire.line();
    if (line === undefined) return;
    const verb = line.slice(0, 4).toUpperCase();
    const path = /<([^>]*)>/.exec(line)?.[1] ?? "";
    if (verb === "MAIL") [reversePath, recipients] = [path, []];
    if (verb === "QUIT") return say("221 2.0.0 bye");
    if (verb === "RCPT") {
      const refused = await refusal(path);
      if (refused === undefined) recipients.push(path);
      say(refused ?? "250 2.1.5 ok");
    } else if (verb === "DATA") {
      // A client that pipelines sends DATA whatever RCPT is answered (RFC 2920 §3.1).
      say(recipients.length > 0 ? "354 go on" : "554 5.5.1 no recipients");
      if (recipients.length === 0) continue;
      const message = await untilDot(wire);
      if (message === undefined) return;
      for (const recipient of recipients) taken.push({ reversePath, recipient, message });
      say("250 2.0.0 ok");
    } else say(REPLIES[verb] ?? "500 5.5.2 what?");
  }
}

/** Undefined where the connection ends before. */
async function untilDot(wire: Wire): Promise<string | undefined> {
  const lines: string[] = [];
  for (;;) {
    const line = await wire.line();
    if (line === undefined || line === ".") return line && lines.join("");
    lines.push(`${line}\r\n`);
  }
}
