// The HTTP server: a port, and bounds for whoever connects to it. It stands beside the mail server in one process, and nothing
// that happens to it may end that. Called by the composition root.
import { createServer, type Server } from "node:http";
import type { HostPort } from "@homing/forwarder";
import { createAdaptorServer } from "@hono/node-server";
import { type AppOptions, createApp, FORM_MS } from "./app.ts";
import { createConnectionShares } from "./connection-shares.ts";

export interface HttpListener {
  readonly host: string;
  readonly port: number;
  /** No new requests; those under way have a second. */
  close(): Promise<void>;
}

export interface HttpLimits {
  /** Connections at the same time: further ones are closed at once. */
  readonly clients: number;
  /** Of these from one address (IPv6: /64): nobody alone closes the port to others. Of this machine: as many as it likes. */
  readonly clientsOfOne: number;
  /** For a whole request with its body, from the connection on. */
  readonly requestMs: number;
  /** For the body of a form, which is a few lines. */
  readonly formMs: number;
  /** For the next request. */
  readonly idleMs: number;
  /** Without an octet on the connection, while an answer is made or taken. */
  readonly answerMs: number;
}

/** A page is asked for by one person, seldom. Behind a proxy a few connections serve all. */
export const HTTP_LIMITS: HttpLimits = {
  clients: 64,
  clientsOfOne: 32,
  requestMs: 10_000,
  formMs: FORM_MS,
  idleMs: 5000,
  answerMs: 10_000,
};

/**
 * Web servers hold a connection for each of their workers, some dozens for a site. Only who has a site key has up to 512 KiB
 * read, so strangers fill sockets and not memory. An answer waits for DNS where DMARC decides about From, and for the disk.
 */
export const API_LIMITS: HttpLimits = { ...HTTP_LIMITS, clients: 256, answerMs: 30_000 };

export interface HttpListenerOptions extends Omit<AppOptions, "formMs"> {
  readonly listen: HostPort;
  readonly limits?: HttpLimits;
}

/** A link is at most 2,048 octets, a site key 512; the rest are a browser's fields, of which nothing is read. */
const MAX_HEADER_OCTETS = 8192;
const CLOSE_GRACE_MS = 1000;

/** Rejects with the system's error where the port cannot be had. */
export async function listenHttp(options: HttpListenerOptions): Promise<HttpListener> {
  const { listen, limits = options.onBehalf ? API_LIMITS : HTTP_LIMITS, failed } = options;
  const app = createApp({ ...options, formMs: limits.formMs });
  const server = createAdaptorServer({
    fetch: app.fetch,
    // The process has other work, with Node's own Request and Response.
    overrideGlobalObjects: false,
    createServer,
    serverOptions: {
      maxHeaderSize: MAX_HEADER_OCTETS,
      headersTimeout: limits.requestMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(1000, limits.requestMs),
    },
  }) as Server;
  server.maxConnections = limits.clients;
  server.on("connection", createConnectionShares(limits.clientsOfOne));
  // Who does not take the answer.
  server.setTimeout(limits.answerMs, (socket) => socket.destroy());
  await listening(server, listen);
  server.on("error", failed);
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("an HTTP server without a port");
  return { host: address.address, port: address.port, close: () => closed(server) };
}

function listening(server: Server, { host, port }: HostPort): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host, port }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
