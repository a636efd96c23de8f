// A library in another language as a peer: a script that answers each line of JSON with one line of JSON.
// Called by mail-srs.ts (Perl) and dkim.ts (Python). One process answers many questions, so tables are cheap.

import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { type Instance, startInstance } from "./instance.ts";

export interface LinePeer extends AsyncDisposable {
  /** Rejects with the peer's own words when it answers `{ "error": "…" }`. */
  ask(question: Readonly<Record<string, unknown>>): Promise<unknown>;
  stop(): Promise<void>;
}

export interface LinePeerOptions {
  /** Its library. The interpreter comes with it when the host has none. */
  readonly packageName: string;
  /** The interpreter and its options; the script's path is put behind them. */
  readonly interpreter: readonly string[];
  /** Text of the script. */
  readonly script: string;
  /** Further packages, by their names below /var/seen: a checkout below /tmp is hidden from the script. */
  readonly seen?: Readonly<Record<string, string>>;
}

interface Waiting {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

export async function startLinePeer(options: LinePeerOptions): Promise<LinePeer> {
  const path = "/etc/homing-peer";
  const instance = await startInstance({
    packageName: options.packageName,
    command: [...options.interpreter, path],
    files: { [path]: options.script },
    seen: options.seen ?? {},
    talks: true,
  });
  const waiting: Waiting[] = [];
  const { stdin, stdout } = pipesOf(instance);
  // Only an open question keeps this process alive, not a peer that somebody forgot to stop.
  const settle = () => {
    if (waiting.length === 0) stdout.unref();
  };
  createInterface({ input: stdout }).on("line", (line) => {
    const { error, answer } = JSON.parse(line) as { error?: string; answer?: unknown };
    const asked = waiting.shift();
    if (error === undefined) asked?.resolve(answer);
    else asked?.reject(new Error(error));
    settle();
  });
  let end: Error | undefined;
  instance.child.once("close", async () => {
    end = new Error(`the peer has ended${await instance.tail()}`);
    for (const asked of waiting.splice(0)) asked.reject(end);
  });
  settle();
  return {
    ask(question) {
      if (end !== undefined) return Promise.reject(end);
      const { promise, resolve, reject } = Promise.withResolvers<unknown>();
      waiting.push({ resolve, reject });
      stdout.ref();
      stdin.write(`${JSON.stringify(question)}\n`);
      return promise;
    },
    stop: () => instance.stop(),
    [Symbol.asyncDispose]: () => instance.stop(),
  };
}

function pipesOf(instance: Instance): { stdin: Socket; stdout: Socket } {
  const stdin = instance.child.stdin as Socket;
  const stdout = instance.child.stdout as Socket;
  // A peer that has ended is reported by its "close", with the end of what it printed.
  stdin.on("error", () => {});
  stdin.unref();
  return { stdin, stdout };
}
