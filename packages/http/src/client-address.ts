// Who asks: the peer, or whom a web server before us names. Called by listen-http.ts, which counts connections by it, and by
// app.ts.
import { BlockList, isIP } from "node:net";
import type { HttpBindings } from "@hono/node-server";
import type { Context } from "hono";

/** Whoever connects from here runs on this machine: a web server that passes on what others ask. */
export const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8);
LOOPBACK.addAddress("::1", "ipv6");

/** The longest IPv6 address. Some proxies write a port behind an address: that is none. */
const MAX_ADDRESS = 45;

/** Undefined where the connection has ended already. */
export function clientOf(context: Context): string | undefined {
  const bindings = context.env as Partial<HttpBindings> | undefined;
  const peer = bindings?.incoming?.socket.remoteAddress;
  return clientAddress(peer, context.req.header("x-forwarded-for"));
}

/**
 * The web server puts whom it answers behind what the client wrote into X-Forwarded-For, so the last address is the one that
 * nobody made up. A peer that is not on this machine may make up all of it.
 */
export function clientAddress(
  peer: string | undefined,
  forwardedFor: string | undefined,
): string | undefined {
  if (peer === undefined || !isLoopback(peer)) return peer && plain(peer);
  const last = forwardedFor?.slice(forwardedFor.lastIndexOf(",") + 1).trim() ?? "";
  return isAddress(last) ? plain(last) : plain(peer);
}

function isLoopback(address: string): boolean {
  return LOOPBACK.check(address, address.includes(":") ? "ipv6" : "ipv4");
}

function isAddress(text: string): boolean {
  return text.length <= MAX_ADDRESS && isIP(text) !== 0 && !text.includes("%");
}

/** An IPv4 address that came to a socket of IPv6, and an address with the name of our network card. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, "").replace(/%.*$/, "");
}
