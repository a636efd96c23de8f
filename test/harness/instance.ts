// A private instance of one Debian program: its files, its start, its log, and its end with everything it started.
// Called by one small file per program: postfix.ts, and line-peer.ts for libraries of other languages.

import type { ChildProcess } from "node:child_process";
import { rmSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type CommandOptions, type CommandResult, run } from "./command.ts";
import { debianRoot } from "./debian-packages.ts";
import { createInstanceFolder, type FolderContents, SYSLOG_SOCKET } from "./instance-folder.ts";
import { commandInside, PROGRAM_ENVIRONMENT, startInNamespace } from "./namespace.ts";
import { listenAsSyslog, type Syslog } from "./syslog.ts";
import { waitFor } from "./wait.ts";

const STOP_SECONDS = 5;
const LOG_TAIL_LINES = 25;

/** What one program needs. */
export interface Program extends FolderContents {
  readonly packageName: string;
  readonly command: readonly string[];
  /** The file below /var that it logs to; `output` is what it prints. Default: `syslog`. */
  readonly log?: string;
  /** Its standard input and output are pipes for the caller. */
  readonly talks?: boolean;
}

/** Ended when this process ends without having stopped them, as after a failed assertion. */
const running = new Set<Instance>();
process.once("exit", () => {
  for (const instance of running) instance.stopAtExit();
});

export async function startInstance(program: Program): Promise<Instance> {
  const root = await debianRoot(program.packageName);
  const folder = await createInstanceFolder(program);
  try {
    const syslog = await listenAsSyslog(join(folder, SYSLOG_SOCKET), join(folder, "syslog"));
    const { command, talks = false } = program;
    const { child, pid } = await startInNamespace({ root, folder, command, talks });
    return new Instance({ folder, log: program.log ?? "syslog", syslog, child, pid });
  } catch (error) {
    if (process.env.HOMING_KEEP !== "1") await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

export class Instance implements AsyncDisposable {
  /** On this machine; /etc and /var of the instance are its folders `etc` and `var`. */
  readonly folder: string;
  readonly child: ChildProcess;
  /** First process of the instance's pid namespace. */
  readonly pid: number;
  readonly #log: string;
  readonly #syslog: Syslog;

  constructor(parts: { folder: string; log: string; syslog: Syslog; child: ChildProcess; pid: number }) {
    this.folder = parts.folder;
    this.child = parts.child;
    this.pid = parts.pid;
    this.#log = join(parts.folder, parts.log);
    this.#syslog = parts.syslog;
    running.add(this);
  }

  /** Runs a command inside the instance, as root, to its end. */
  run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return run(commandInside(this.pid, argv), { env: PROGRAM_ENVIRONMENT, ...options });
  }

  /** Everything that was logged so far. */
  log(): Promise<string> {
    return readIfThere(this.#log);
  }

  /** The first line of the log that contains `text`; waits for it. Throws at once when the program has ended. */
  async waitForLog(text: string | RegExp, seconds = 10): Promise<string> {
    const found = (line: string) =>
      typeof text === "string" ? line.includes(text) : line.search(text) !== -1;
    return waitFor(
      async () => {
        const ended = this.#ended();
        if (ended) await this.#syslog.close();
        const line = (await this.log()).split("\n").find(found);
        if (line === undefined && ended) {
          throw new Error(`the program ended before it logged ${text}${await this.tail()}`);
        }
        return line;
      },
      { seconds, otherwise: async () => `nothing logged that matches ${text}${await this.tail()}` },
    );
  }

  /** The end of everything it printed and logged, for the message of an error. */
  async tail(): Promise<string> {
    const files = new Set([join(this.folder, "output"), join(this.folder, "syslog"), this.#log]);
    const texts = await Promise.all([...files].map(readIfThere));
    const lines = texts.join("").trimEnd().split("\n");
    return `; the end of its log:\n${lines.slice(-LOG_TAIL_LINES).join("\n")}`;
  }

  /**
   * Ends it by SIGKILL and removes its folder (HOMING_KEEP=1 keeps it). Nothing that an orderly end would save is
   * used again.
   */
  async stop(): Promise<void> {
    this.#kill();
    await waitFor(() => this.#ended() || undefined, {
      seconds: STOP_SECONDS,
      otherwise: () => `the namespace of process ${this.pid} has not ended`,
    });
    await this.#syslog.close();
    if (!running.delete(this)) return;
    if (process.env.HOMING_KEEP === "1") console.error(`kept: ${this.folder}`);
    else await rm(this.folder, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  stopAtExit(): void {
    this.#kill();
    if (process.env.HOMING_KEEP === "1") return;
    // Its processes die at the same time and may still write: removing is tried again then.
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 20 });
  }

  #kill(): void {
    if (this.#ended()) return;
    try {
      process.kill(this.pid, "SIGKILL");
    } catch (error) {
      // It has just ended by itself, and unshare, which waited for it, has not yet.
      if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
    }
  }

  #ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }
}

async function readIfThere(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return "";
    throw error;
  }
}
