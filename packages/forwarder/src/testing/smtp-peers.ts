// SMTP peers for tests, by hand: a next hop that answers as it is told and keeps what it hears, and a client that says
// exactly what a test wants said. Used by the tests of SMTP in and out and by the stories about what Homing says.
import { dial, type Place, type Server, serve, type Wire } from "./wire.ts";

/** What a next hop says at each step, CRLF between lines; or that it goes away instead, or says nothing. */
export type Answers = Partial<
  Record<
    "greeting" | "EHLO" | "HELO" | "LHLO" | "STARTTLS" | "MAIL" | "RCPT" | "DATA" | "dot" | "QUIT",
    string
  >
>;
export const FIN = "(closes)";
export const RST = "(resets)";
export const SILENCE = "(says nothing)";

const POLITE: Required<Answers> = {
  greeting: "220 hop.example ESMTP",
  EHLO: "250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SIZE\r\n250 SMTPUTF8",
  HELO: "250 hop.example",
  LHLO: "250-hop.example\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SIZE",
  STARTTLS: "454 4.7.0 not now",
  MAIL: "250 2.1.0 ok",
  RCPT: "250 2.1.5 ok",
  DATA: "354 go on",
  dot: "250 2.0.0 queued",
  QUIT: "221 2.0.0 bye",
};

export interface Hop extends Server {
  readonly commands: string[];
  /** Octets as on the wire: dots stuffed, the final dot included. */
  readonly messages: Buffer[];
  readonly connections: Wire[];
}

export async function startHop(answers: Answers = {}): Promise<Hop> {
  const says = { ...POLITE, ...answers };
  const seen = { commands: [] as string[], messages: [] as Buffer[], connections: [] as Wire[] };
  const place = await serve(async (wire) => {
    seen.connections.push(wire);
    answer(wire, says.greeting);
    for (let line = await wire.line(); line !== undefined; line = await wire.line()) {
      seen.commands.push(line);
      const verb = line.split(" ", 1)[0] as keyof Answers;
      answer(wire, says[verb] ?? "500 5.5.2 what?");
      if (verb === "QUIT" && says.QUIT !== SILENCE) wire.socket.end();
      if (verb !== "DATA" || !says.DATA.startsWith("354")) continue;
      let message = "";
      for (let part: string | undefined = ""; part !== ".\r\n"; message += part) {
        part = await wire.until("\r\n");
        if (part === undefined) return;
      }
      seen.messages.push(Buffer.from(message, "latin1"));
      answer(wire, says.dot);
    }
  });
  return { ...place, ...seen };
}

function answer({ socket }: Wire, text: string): void {
  if (text === FIN) socket.destroy();
  else if (text === RST) socket.resetAndDestroy();
  else if (text !== SILENCE && socket.writable) socket.write(`${text}\r\n`, "latin1");
}

/** A client that has been greeted. */
export async function greeted(server: Place): Promise<Wire> {
  const client = await dial(server);
  await client.reply();
  return client;
}

/** A client that has been greeted and has said EHLO. */
export async function hello(server: Place): Promise<Wire> {
  const client = await greeted(server);
  await client.ask("EHLO client.test");
  return client;
}

export interface Transaction {
  readonly from: string;
  readonly to: string;
  readonly message: string | Uint8Array;
}

/** One whole transaction, EHLO included; gives the reply that ended it. */
export async function transact(client: Wire, { from, to, message }: Transaction): Promise<string> {
  for (const command of ["EHLO client.example", `MAIL FROM:<${from}>`, `RCPT TO:<${to}>`]) {
    const reply = await client.ask(command);
    if (!reply.startsWith("250")) return reply;
  }
  return sendMessage(client, message);
}

/** DATA and, if it is taken, the message; gives the reply that ended it. */
export async function sendMessage(client: Wire, message: string | Uint8Array): Promise<string> {
  const reply = await client.ask("DATA");
  if (!reply.startsWith("354")) return reply;
  client.send(stuffed(message));
  return client.reply();
}

/** As a client must send it: dots at line starts doubled, the final dot behind. RFC 5321 §4.5.2. */
export function stuffed(message: string | Uint8Array): string {
  const text = typeof message === "string" ? message : Buffer.from(message).toString("latin1");
  const lines = `\r\n${text}`.replaceAll("\r\n.", "\r\n..");
  // §4.1.1.4: the CRLF before the final dot is the message's own.
  return `${lines.endsWith("\r\n") ? lines : `${lines}\r\n`}.\r\n`.slice(2);
}
