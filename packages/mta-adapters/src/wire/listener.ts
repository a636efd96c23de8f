// A listener of one adapter, on TCP or on a UNIX socket with mode and owner. Called by the composition root with a protocol.
import { chmod, chown, lstat, unlink } from "node:fs/promises";
import { createConnection, createServer, type Server, type Socket } from "node:net";
import process from "node:process";
import type { AdapterName, AdapterReport } from "../adapter-events.ts";
import { serveConnection } from "./connection.ts";
import type { Protocol } from "./protocol.ts";

export type AdapterPlace =
  | { readonly host: string; readonly port: number }
  | {
      readonly path: string;
      /** Who may ask: permission bits. */
      readonly mode: number;
      /** Numeric; undefined leaves it as it comes. */
      readonly owner: number | undefined;
      readonly group: number | undefined;
    };

export interface ListenAdapterOptions<Request> {
  readonly adapter: AdapterName;
  readonly place: AdapterPlace;
  readonly protocol: Protocol<Request>;
  readonly maxConnections: number;
  readonly report: AdapterReport;
  /** Unix milliseconds. */
  readonly nowMs: () => number;
}

export interface AdapterListener {
  readonly adapter: AdapterName;
  /** Where it listens: with the port that a 0 became. */
  readonly place: AdapterPlace;
  /** Ends every connection. A mail server asks anew, or does what it does without us. */
  close(): Promise<void>;
}

const BUSY_MS = 60_000;

/** Rejects where the place cannot be had. */
export async function listenAdapter<Request>(
  options: ListenAdapterOptions<Request>,
): Promise<AdapterListener> {
  const { adapter, place, protocol, maxConnections, report, nowMs } = options;
  const sockets = new Set<Socket>();
  let toldBusyMs = Number.NEGATIVE_INFINITY;
  const failed = (error: unknown): void =>
    report({ event: "error", session: adapter, message: errorText(error) });

  const server = createServer({ allowHalfOpen: true }, (socket) => {
    if (sockets.size >= maxConnections) {
      socket.destroy();
      if (nowMs() - toldBusyMs < BUSY_MS) return;
      toldBusyMs = nowMs();
      report({ event: "adapter-busy", adapter, connections: sockets.size });
      return;
    }
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    const peer = peerOf(socket, place);
    serveConnection({
      socket,
      protocol,
      onFault: (fault) => report({ event: "adapter-fault", adapter, peer, fault }),
      onError: failed,
    });
  });
  await listen(server, place);
  server.on("error", failed);
  return {
    adapter,
    place: placeOf(server, place),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function listen(server: Server, place: AdapterPlace): Promise<void> {
  if (!("path" in place)) return await bound(server, place);
  if (await isLeftOver(place.path)) await unlink(place.path);
  // Nobody gets in before the mode is right. Node binds within the call: the mask, which is the whole process's, is put back
  // before anybody else makes a file.
  const umask = process.umask(0o177);
  const listening = bound(server, { path: place.path });
  process.umask(umask);
  await listening;
  try {
    if (place.owner !== undefined || place.group !== undefined)
      await chown(place.path, place.owner ?? process.getuid?.() ?? 0, place.group ?? process.getgid?.() ?? 0);
    await chmod(place.path, place.mode);
  } catch (error) {
    server.close();
    throw error;
  }
}

function bound(server: Server, place: { host: string; port: number } | { path: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** A socket that nobody listens on: a service that was killed leaves it, and it would be in the way for ever. */
async function isLeftOver(path: string): Promise<boolean> {
  const status = await lstat(path).catch(() => undefined);
  if (!status?.isSocket()) return false;
  return await new Promise((resolve) => {
    const socket = createConnection(path);
    socket.on("connect", () => {
      socket.destroy();
      resolve(false);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code === "ECONNREFUSED"));
  });
}

function placeOf(server: Server, place: AdapterPlace): AdapterPlace {
  const address = server.address();
  return "path" in place || address === null || typeof address === "string"
    ? place
    : { host: place.host, port: address.port };
}

function peerOf(socket: Socket, place: AdapterPlace): string {
  return "path" in place ? place.path : `${socket.remoteAddress}:${socket.remotePort}`;
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
