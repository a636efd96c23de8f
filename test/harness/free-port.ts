// TCP ports of 127.0.0.1: free ones, for every program that listens, such as postfix.ts, and one for those that do not.

import { once } from "node:events";
import { createServer, type ListenOptions, type Server } from "node:net";

/**
 * For a server that is down: nobody listens there, and the kernel gives it to nobody who asks for any port. One that was free
 * may be somebody's a moment later, and a story about a refused connection then talks to another story's server, or the service to itself.
 */
export const PORT_OF_NOBODY = 1;

const ATTEMPTS = 3;

/**
 * A port that was free a moment ago, and that no other `freePort` of this machine returns while this process lives.
 * A program that asks the kernel for any free port may still take it before you do: see `onFreePort`.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    await listening(server, { port: 0, host: "127.0.0.1" });
    const address = server.address();
    server.close();
    await once(server, "close");
    if (address === null || typeof address === "string") throw new Error("a TCP server without a port");
    if (await reserve(address.port)) return address.port;
  }
}

/**
 * Postfix listens with SO_REUSEPORT: two that were given the same port would both start, and share its connections
 * at random. So test processes agree on ports by an abstract socket for each, which ends with its process.
 */
async function reserve(port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listening(server, { path: `\0homing-port-${port}` });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EADDRINUSE") return false;
    throw error;
  }
  server.unref();
  return true;
}

async function listening(server: Server, options: ListenOptions): Promise<void> {
  server.listen(options);
  await once(server, "listening");
}

/** Starts something on a free port, and on another one when its error says that the first was taken meanwhile. */
export async function onFreePort<T>(start: (port: number) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await start(await freePort());
    } catch (error) {
      const taken = error instanceof Error && /address already in use/i.test(error.message);
      if (!taken || attempt === ATTEMPTS) throw error;
    }
  }
}
