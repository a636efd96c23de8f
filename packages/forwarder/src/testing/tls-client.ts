// Clients that speak TLS, octet by octet: behind STARTTLS, and on a port where it comes first. They trust whoever answers. Used by
// the tests of submission.
import { once } from "node:events";
import { connect, type TLSSocket } from "node:tls";
import { greeted } from "./smtp-peers.ts";
import { type Place, Wire, within } from "./wire.ts";

export async function overTls(client: Wire): Promise<Wire> {
  client.socket.removeAllListeners("data");
  return await shaken(connect({ socket: client.socket, rejectUnauthorized: false }));
}

/** Behind STARTTLS, and before EHLO. */
export async function startTls(server: Place): Promise<Wire> {
  const client = await greeted(server);
  await client.ask("EHLO client.test");
  await client.ask("STARTTLS");
  return await overTls(client);
}

/** TLS from the first octet; the greeting is not read yet. */
export async function dialTls({ host = "127.0.0.1", port }: Place, localAddress?: string): Promise<Wire> {
  const from = localAddress === undefined ? {} : { localAddress };
  return await shaken(connect({ host, port, rejectUnauthorized: false, ...from }));
}

async function shaken(socket: TLSSocket): Promise<Wire> {
  // The greeting may come with the end of the handshake.
  const wire = new Wire(socket);
  await within(once(socket, "secureConnect"), "a handshake");
  return wire;
}
