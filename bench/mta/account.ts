// CPU time and memory of all processes of one peer, the short-lived ones among them.
// Called by the peers, who put their processes in, and by the runs, which read it before and after.
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { descendants, processStatus } from "./process-table.ts";

const REMOVAL_ATTEMPTS = 100;
const REMOVAL_PAUSE_MS = 20;

/** Groups to remove when this process ends without having done so. */
const open = new Set<CgroupAccount>();

export interface Account extends Disposable {
  /** `proc` misses what a process used that ended between two looks and that nobody waited for. */
  readonly method: "cgroup" | "proc";
  /** The command line that runs `argv` in this account from its first instruction on. */
  command(argv: readonly string[]): string[];
  /** Takes in a running process and everything below it. */
  adopt(pid: number): void;
  pids(): number[];
  cpuSeconds(): number;
}

export function createAccount(name: string): Account {
  const parent = cgroupMount();
  if (parent === undefined) return new ProcAccount();
  const folder = join(parent, `homing-bench-${process.pid}-${name}`);
  try {
    mkdirSync(folder);
    readCpuStat(folder);
    return openGroup(folder);
  } catch {
    // Mounted read-only, as in many containers, or a kernel without usage in cpu.stat.
    return new ProcAccount();
  }
}

function openGroup(folder: string): Account {
  const account = new CgroupAccount(folder);
  // Not before the first group: the handlers that end the processes were registered earlier, and so run earlier.
  if (open.size === 0) process.once("exit", closeAll);
  open.add(account);
  return account;
}

function closeAll(): void {
  for (const account of [...open]) account[Symbol.dispose]();
}

/** The cgroup v2 tree. It has usage_usec also beside the v1 controllers, and needs none of its own. */
function cgroupMount(): string | undefined {
  const mounts = readFileSync("/proc/self/mounts", "utf8").split("\n");
  return mounts.map((line) => line.split(" ")).find(([, , type]) => type === "cgroup2")?.[1];
}

function readCpuStat(folder: string): number {
  const usage = /^usage_usec (\d+)$/m.exec(readFileSync(join(folder, "cpu.stat"), "utf8"))?.[1];
  if (usage === undefined) throw new Error(`no usage_usec in ${folder}/cpu.stat`);
  return Number(usage) / 1e6;
}

class CgroupAccount implements Account {
  readonly method = "cgroup";
  readonly #folder: string;
  readonly #processes: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.#processes = join(folder, "cgroup.procs");
  }

  command(argv: readonly string[]): string[] {
    return ["sh", "-c", 'echo 0 >"$0" && exec "$@"', this.#processes, ...argv];
  }

  adopt(pid: number): void {
    for (const one of descendants([pid])) writeFileSync(this.#processes, `${one}`);
  }

  pids(): number[] {
    return readFileSync(this.#processes, "utf8").split("\n").filter(Boolean).map(Number);
  }

  cpuSeconds(): number {
    return readCpuStat(this.#folder);
  }

  [Symbol.dispose](): void {
    if (!open.delete(this)) return;
    for (let attempt = 0; attempt < REMOVAL_ATTEMPTS; attempt++) {
      try {
        rmdirSync(this.#folder);
        return;
      } catch {
        // Its last process, which was killed, is still ending. This also runs when there is no time for promises.
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, REMOVAL_PAUSE_MS);
      }
    }
  }
}

class ProcAccount implements Account {
  readonly method = "proc";
  readonly #roots: number[] = [];

  command(argv: readonly string[]): string[] {
    return [...argv];
  }

  adopt(pid: number): void {
    this.#roots.push(pid);
  }

  pids(): number[] {
    return descendants(this.#roots);
  }

  cpuSeconds(): number {
    return this.pids().reduce((sum, pid) => sum + (processStatus(pid)?.cpuSeconds ?? 0), 0);
  }

  [Symbol.dispose](): void {}
}
