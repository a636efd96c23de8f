// A generator as a process whose CPU time goes to the load, and that ends with this one.
// Called by smtp-source.ts, and by the benches of bounces and of authentication.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable, Writable } from "node:stream";
import type { Account } from "./account.ts";
import type { Source } from "./throughput.ts";

const LONGEST_COMPLAINT = 500;

export interface Command {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly load: Account;
}

interface Generator extends Source {
  readonly child: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Of one that waits for it: writes to its standard input, and sets `startedAt`. */
  begin(): void;
}

/** For one that says when it is ready, and begins with a line on its standard input: its start is no part of a run. */
export async function startReadyGenerator(command: Command): Promise<Source> {
  const generator = start(command);
  const { child } = generator;
  const isReady = await Promise.race([
    once(child.stdout, "data").then(() => true),
    once(child, "exit").then(() => false),
  ]);
  if (!isReady) throw new Error(`the generator ended at its start: ${generator.complaint()}`);
  generator.begin();
  return generator;
}

export function startGenerator(command: Command): Source {
  return start(command);
}

function start({ argv, env, load }: Command): Generator {
  const [file = "", ...args] = ["setpriv", "--pdeathsig", "KILL", ...load.command(argv)];
  let startedAt = performance.now();
  const child = spawn(file, args, { env, stdio: ["pipe", "pipe", "pipe"] });
  let endedAt: number | undefined;
  let said = "";
  child.stderr.on("data", (part: Buffer) => (said = `${said}${part}`.slice(-LONGEST_COMPLAINT)));
  child.once("exit", () => (endedAt = performance.now()));
  return {
    child,
    get startedAt() {
      return startedAt;
    },
    begin() {
      startedAt = performance.now();
      child.stdin.write("\n");
    },
    ended: () => endedAt !== undefined,
    succeeded: () => child.exitCode === 0,
    seconds: () => ((endedAt ?? performance.now()) - startedAt) / 1000,
    complaint: () => said.trim(),
    kill: () => void child.kill("SIGKILL"),
  };
}
