// A private PostSRSd 1.10: the peer whose place Homing takes. Called by the story that asks both the same.
import { createConnection } from "node:net";
import { freePort } from "./free-port.ts";
import { type Instance, startInstance } from "./instance.ts";
import { waitFor } from "./wait.ts";

const START_SECONDS = 10;

export interface PostsrsdOptions {
  readonly domain: string;
  readonly secret: string;
  /** As in SRS_EXCLUDE_DOMAINS. */
  readonly excluded: readonly string[];
}

export type Postsrsd = Instance & {
  /** Ports of its two tcp tables on 127.0.0.1. */
  readonly forward: number;
  readonly reverse: number;
};

export async function startPostsrsd({ domain, secret, excluded }: PostsrsdOptions): Promise<Postsrsd> {
  const forward = await freePort();
  const reverse = await freePort();
  const ports = ["-4", "-l127.0.0.1", `-f${forward}`, `-r${reverse}`];
  const rules = [`-d${domain}`, "-s/etc/postsrsd.secret", `-X${excluded.join(",")}`];
  const instance = await startInstance({
    packageName: "postsrsd",
    command: ["postsrsd", ...ports, ...rules, "-unobody"],
    files: { "/etc/postsrsd.secret": `${secret}\n` },
    log: "output",
  });
  try {
    for (const port of [forward, reverse]) await waitForListener(port, instance);
  } catch (error) {
    await instance.stop();
    throw error;
  }
  return Object.assign(instance, { forward, reverse });
}

async function waitForListener(port: number, instance: Instance): Promise<void> {
  const listens = (): Promise<true | undefined> =>
    new Promise((resolve) => {
      const socket = createConnection(port, "127.0.0.1");
      socket.on("connect", () => {
        socket.destroy();
        resolve(true);
      });
      socket.on("error", () => resolve(undefined));
    });
  await waitFor(listens, { seconds: START_SECONDS, otherwise: () => instance.tail() });
}

/** What a tcp table says to one line, on a connection of its own; "" where it only hangs up. */
export function askTcpTable(port: number, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(port, "127.0.0.1");
    let said = "";
    const done = (): void => {
      socket.destroy();
      resolve(said.split("\n", 1)[0] ?? "");
    };
    socket.setEncoding("latin1").setTimeout(5000, () => socket.destroy(new Error(`no answer to ${line}`)));
    socket.on("data", (text: string) => {
      said += text;
      if (said.includes("\n")) done();
    });
    socket.on("close", done).on("error", reject);
    socket.write(`${line}\n`);
  });
}
