// What the stories ask of every server that takes mail for somebody and passes it on, as the server behind an alias does.
// Kept by exim.ts, opensmtpd.ts, sendmail.ts and postfix.ts.

import { once } from "node:events";
import { connect } from "node:net";
import type { Instance } from "./instance.ts";
import { waitFor } from "./wait.ts";

/** On a machine that does many other things. Alone, each of them starts in less than a second. */
const START_SECONDS = 15;

/** All ports are of 127.0.0.1. Nobody has a mailbox here, and there is no DNS. */
export interface RelayingMtaOptions {
  /** Its name, in its replies and reports. */
  readonly hostname: string;
  /** Mail for this domain goes to the port `nextHop`: tried each second, and a delay reported after one. */
  readonly domain: string;
  readonly nextHop: number;
  /** Everything else goes to this port: the reports that it writes. */
  readonly elsewhere: number;
}

export type RelayingMta = Instance & {
  /** Of its SMTP listener on 127.0.0.1. */
  readonly port: number;
};

export type StartRelayingMta = (options: RelayingMtaOptions) => Promise<RelayingMta>;

/** Stops the instance again where it does not. Its name in the greeting tells it from a stranger on the same port. */
export async function untilItGreets(
  instance: Instance,
  { port, hostname }: { readonly port: number; readonly hostname: string },
): Promise<RelayingMta> {
  const probe = async (): Promise<true | undefined> => {
    const { exitCode, signalCode } = instance.child;
    if (exitCode !== null || signalCode !== null) throw new Error(`it has ended${await instance.tail()}`);
    return (await greeting(port)).startsWith(`220 ${hostname} `) || undefined;
  };
  try {
    await waitFor(probe, {
      seconds: START_SECONDS,
      otherwise: async () => `nobody greets as ${hostname} at port ${port}${await instance.tail()}`,
    });
  } catch (error) {
    await instance.stop();
    throw error;
  }
  return Object.assign(instance, { port });
}

/** The first octets that a server says, or none. */
async function greeting(port: number): Promise<string> {
  const socket = connect({ port, host: "127.0.0.1", timeout: START_SECONDS * 1000 });
  socket.once("timeout", () => socket.destroy());
  try {
    const [text] = await Promise.race([once(socket, "data"), once(socket, "close").then(() => [""])]);
    if (text !== "") socket.end("QUIT\r\n");
    return String(text);
  } catch {
    return "";
  }
}
