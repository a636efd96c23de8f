// SMTP in: smtp-server behind our own contract. smtp-in/ has the classes that extend the library's; what can be decided
// without it is in front/. Called by forwarder.ts, for submissions and by the command line's built-in inbox.
import { createFront, type SmtpListener, type SmtpListenerOptions } from "./front/front.ts";
import { Server } from "./smtp-in/server.ts";
import type { SmtpHandler } from "./smtp-session.ts";

export type { ListenPlace, SmtpListener, SmtpListenerOptions, TlsFiles } from "./front/front.ts";

/** Starts an SMTP server. Rejects with the system's error (EADDRINUSE, EACCES …) where the port cannot be had. */
export async function listenSmtp(options: SmtpListenerOptions, handler: SmtpHandler): Promise<SmtpListener> {
  const front = createFront(options, handler);
  const server = new Server(front);
  const place = "fd" in options ? { fd: options.fd } : { host: options.host, port: options.port };
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(place, () => {
      server.off("error", reject);
      resolve();
    });
  });
  // Without a listener, a client's reset would end the process.
  server.on("error", (error: Error) => {
    if (!("remoteAddress" in error)) handler.failed(error, "");
  });
  const taken = server.server.address();
  if (taken === null || typeof taken === "string") {
    await server.end();
    throw new Error("the socket is not a TCP socket");
  }
  return {
    host: taken.address,
    port: taken.port,
    counts: () => ({
      ...front.counts,
      clients: server.connections.size,
      bufferedOctets: front.budget.taken(),
    }),
    replaceTls: (tls) => server.replaceTls(tls),
    close: () => server.end(),
  };
}
