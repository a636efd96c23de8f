// The /dev/log of one instance, written to a file of its folder: nothing reaches the log of this machine.
// Called by instance.ts. Most mail programs log by syslog(3), and Postfix its fatal errors before it has read main.cf.

import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { chmod } from "node:fs/promises";
import { createServer } from "node:net";

export interface Syslog {
  /** Ends when everything that was sent is in the file, once its senders have ended. */
  close(): Promise<void>;
}

/** Listens on `socket` (a path of at most 107 octets, as for every Unix socket). */
export async function listenAsSyslog(socket: string, file: string): Promise<Syslog> {
  // A stream, though syslog is a datagram service: Node has no datagram Unix sockets, and when connecting fails with
  // EPROTOTYPE, the C library's syslog(3) takes a stream and ends each message with NUL instead.
  const server = createServer((sender) => {
    let rest = "";
    sender.setEncoding("utf8").on("data", (part: string) => {
      const messages = `${rest}${part}`.split("\0");
      rest = messages.pop() ?? "";
      for (const message of messages) appendFileSync(file, `${message.replace(/^<\d+>/, "").trimEnd()}\n`);
    });
    sender.on("error", () => {});
    sender.unref();
  });
  server.listen(socket);
  await once(server, "listening");
  // Programs that have changed their user log as well.
  await chmod(socket, 0o666);
  server.unref();
  return {
    async close() {
      if (!server.listening) return;
      server.ref().close();
      await once(server, "close");
    },
  };
}
