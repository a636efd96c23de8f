// A program that the benchmark runs for as long as it likes, with a resolver that refuses, ended with all below it.
// Called by the peers, except Postfix, which the harness of the stories runs, and by counting-sink.ts.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SYSTEM_PATH } from "../../test/harness/command.ts";
import type { Account } from "./account.ts";

const QUIET = join(import.meta.dirname, "quiet.sh");
const TAIL_LINES = 10;

const UNSHARE = [
  ...["setpriv", "--pdeathsig", "KILL"],
  ...["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"],
];

export interface Program {
  readonly argv: readonly string[];
  readonly account: Account;
  /** Where its output goes, and the files of its resolver. */
  readonly folder: string;
  /** A file, or a FIFO that somebody reads. Default: `output` in the folder, beside its errors. */
  readonly stdout?: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** Ended when this process ends without having stopped them. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

export class OwnProcess {
  readonly #child: ChildProcess;
  readonly #output: string;

  constructor({ argv, account, folder, stdout, env = {} }: Program) {
    this.#output = join(folder, "output");
    const [resolver, names] = writeResolver(folder);
    const printed = openSync(this.#output, "a");
    const counted = stdout === undefined ? printed : openSync(stdout, "w");
    const [file = "", ...args] = [...UNSHARE, "sh", QUIET, resolver, names, ...account.command(argv)];
    this.#child = spawn(file, args, {
      stdio: ["ignore", counted, printed],
      cwd: folder,
      env: { PATH: SYSTEM_PATH, HOME: folder, LANG: "C.UTF-8", ...env },
      // Ctrl-C at a terminal ends the benchmark, and that ends this one.
      detached: true,
    });
    for (const file of new Set([printed, counted])) closeSync(file);
    running.add(this.#child);
    if (account.method === "proc" && this.#child.pid !== undefined) account.adopt(this.#child.pid);
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** The end of what it printed, for the message of an error. */
  tail(): string {
    return readFileSync(this.#output, "utf8").trimEnd().split("\n").slice(-TAIL_LINES).join("\n");
  }

  async stop(): Promise<void> {
    running.delete(this.#child);
    if (this.ended) return;
    this.#child.kill("SIGKILL");
    await once(this.#child, "exit");
  }
}

/** Nothing listens on port 53 of this address: whoever asks DNS is refused at once. */
function writeResolver(folder: string): [resolver: string, names: string] {
  const [resolver, names] = [join(folder, "resolv.conf"), join(folder, "nsswitch.conf")];
  writeFileSync(resolver, "nameserver 127.53.53.53\noptions timeout:1 attempts:1\n");
  writeFileSync(names, "passwd: files\ngroup: files\nhosts: files\nservices: files\n");
  return [resolver, names];
}
