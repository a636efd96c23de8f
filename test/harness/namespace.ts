// A process in mount and pid namespaces of its own, with a package's files laid over /usr and /etc.
// Called by instance.ts; availability.ts tries it once to learn whether this machine allows it.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { SYSTEM_PATH } from "./command.ts";

/** What programs in an instance see: nothing of the environment that the tests were started with. */
export const PROGRAM_ENVIRONMENT = { PATH: SYSTEM_PATH, HOME: "/", LANG: "C.UTF-8" };

const INIT = join(import.meta.dirname, "namespace.sh");

export interface NamespaceOptions {
  /** An unpacked package: its usr and etc are laid over the host's, read-only. */
  readonly root: string;
  /**
   * Holds `etc` (laid over both), `dev` (laid over the host's) and `var` (in place of the host's), and gets `output`,
   * what the program prints.
   */
  readonly folder: string;
  readonly command: readonly string[];
  /** Standard input and output are pipes, for a program that is talked to through them. */
  readonly talks: boolean;
}

export interface NamespaceProcess {
  /** unshare(1): it ends when the last process in the namespace has ended. */
  readonly child: ChildProcess;
  /** The namespace's first process. Killing it ends everything in the namespace. */
  readonly pid: number;
}

/** Starts `command`; the promise settles when its mounts are made and the program is about to start. */
export async function startInNamespace(options: NamespaceOptions): Promise<NamespaceProcess> {
  const output = join(options.folder, "output");
  await using file = await open(output, "a");
  const printed = file.fd;
  const child = spawn("setpriv", [...UNSHARE, "sh", INIT, ...argumentsOf(options)], {
    stdio: [options.talks ? "pipe" : "ignore", options.talks ? "pipe" : printed, printed, "pipe"],
    env: PROGRAM_ENVIRONMENT,
    cwd: "/",
    // A session of its own: neither Ctrl-C at a terminal nor a daemon that signals its process group crosses over.
    detached: true,
  });
  const ready = child.stdio[3] as Readable;
  const [line] = await Promise.race([once(ready, "data"), once(child, "close").then(() => [""])]);
  ready.destroy();
  const pid = Number.parseInt(String(line), 10);
  if (Number.isNaN(pid)) throw new Error(`no namespace: ${(await readFile(output, "utf8")).trim()}`);
  // A story that forgets to stop its instance, or fails before it can, must still end.
  child.unref();
  return { child, pid };
}

// The chain of parent-death signals: this process → unshare → the shell, whose end ends the namespace.
const UNSHARE = [
  ...["--pdeathsig", "KILL"],
  ...["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
];

function argumentsOf({ root, folder, command }: NamespaceOptions): string[] {
  // Overlay options are separated by commas and their folders by colons.
  const unfit = [root, folder].find((path) => /[,:\\]/.test(path));
  if (unfit !== undefined) throw new Error(`no comma, colon or backslash may be in the path ${unfit}`);
  return [root, folder, ...command];
}

/** The command line that runs `argv` inside the namespace, and ends it when it is itself killed. */
export function commandInside(pid: number, argv: readonly string[]): string[] {
  const inside = ["setpriv", "--pdeathsig", "KILL", ...argv];
  return ["nsenter", "--target", `${pid}`, "--mount", "--pid", "--", ...inside];
}
