// A client that sends letters one after the other over one connection, in the time that the server takes. Called by the
// stories; smtp-peers.ts has one that says single commands.
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { stuffed } from "./dots.ts";
import { type Letter, senderOf } from "./letters.ts";
import { createSmtpReader } from "./smtp-reader.ts";

export interface Client extends Disposable {
  /** Gives the reply that ended the transaction, or "closed". */
  send(letter: Letter, options?: SendOptions): Promise<string>;
  readonly socket: Socket;
}

export interface SendOptions {
  readonly to?: string;
  readonly from?: string;
  /** Behind MAIL FROM:<…>. */
  readonly parameters?: string;
}

export const ALICE = "alice@forwarder.example";
/** The queue has the message: the reply of receive.ts that acknowledges from the spool. */
export const KEPT = "250 2.0.0 kept, and on its way";

/** Before DATA, and once for a message that many send: a client that takes its time after 354 is sent away. */
function onTheWire(message: Buffer): Buffer {
  const wire = wires.get(message) ?? stuffed(message);
  wires.set(message, wire);
  return wire;
}
const wires = new WeakMap<Buffer, Buffer>();

/** @param localAddress every address of 127.0.0.0/8 is this machine */
export async function connectClient(port: number, localAddress = "127.0.0.1"): Promise<Client> {
  const socket = connect({ port, host: "127.0.0.1", localAddress });
  socket.setNoDelay(true);
  await once(socket, "connect");
  socket.on("error", () => {});
  const reader = createSmtpReader(socket);
  let greeting: Promise<string> | undefined;
  const greet = async (): Promise<string> => {
    const greeted = await reader.reply();
    if (!greeted.startsWith("220")) return greeted;
    socket.write("EHLO client.example\r\n");
    return reader.reply();
  };

  return {
    socket,
    async send({ token, message }, { to = ALICE, from = senderOf(token), parameters = "" } = {}) {
      const wire = onTheWire(message);
      greeting ??= greet();
      const greeted = await greeting;
      if (!greeted.startsWith("250")) return greeted;
      socket.write(Buffer.from(`MAIL FROM:<${from}>${parameters}\r\nRCPT TO:<${to}>\r\nDATA\r\n`));
      const [mail, rcpt, data] = [await reader.reply(), await reader.reply(), await reader.reply()];
      for (const reply of [mail, rcpt]) if (!reply.startsWith("250")) return reply;
      if (!data.startsWith("354")) return data;
      socket.write(wire);
      return reader.reply();
    },
    [Symbol.dispose]() {
      socket.destroy();
    },
  };
}

/** One letter over a connection of its own. */
export async function sendOne(
  port: number,
  one: Letter,
  { localAddress, ...options }: SendOptions & { readonly localAddress?: string } = {},
): Promise<string> {
  using client = await connectClient(port, localAddress);
  return await client.send(one, options);
}
