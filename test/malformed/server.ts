// SMTP in as a process of its own, so that its memory is its own. Its answer to a message is the message's hash. Started
// by malformed-sessions.test.ts; tells its ports, and then, whenever it is asked, how it is.
import { createHash } from "node:crypto";
import { listenSmtp } from "@homing/forwarder";
import { type Reply, wholeContent } from "@homing/mail";

export interface State {
  /** Messages by listener. */
  readonly taken: readonly number[];
  readonly clients: number;
  readonly bufferedOctets: number;
  readonly failures: readonly string[];
}

const OK: Reply = { code: 250, enhanced: "2.0.0", text: "ok" };

const taken = [0, 0];
const failures: string[] = [];

const listeners = await Promise.all(
  taken.map((_, index) =>
    listenSmtp(
      {
        host: "127.0.0.1",
        port: 0,
        hostname: "mx.test",
        maxMessageOctets: 100_000,
        maxClients: 1000,
        limits: { clientsPerNetwork: 0 },
      },
      {
        mail: () => ({
          kind: "open",
          transaction: {
            rcpt: () => OK,
            async data(content) {
              taken[index] = (taken[index] ?? 0) + 1;
              return {
                ...OK,
                text: createHash("sha256")
                  .update(await wholeContent(content))
                  .digest("hex"),
              };
            },
          },
        }),
        failed: (error) => failures.push(String(error)),
      },
    ),
  ),
);

process.on("message", () => {
  const counts = listeners.map((listener) => listener.counts());
  const sum = (name: "clients" | "bufferedOctets"): number => counts.reduce((all, one) => all + one[name], 0);
  process.send?.({
    taken,
    failures,
    clients: sum("clients"),
    bufferedOctets: sum("bufferedOctets"),
  } satisfies State);
});
process.on("disconnect", () => process.exit());
process.send?.(listeners.map(({ port }) => port));
