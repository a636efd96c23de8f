// What /proc says about processes: parents, CPU time, memory.
// Called by account.ts and memory.ts, and by the bench of bounces.
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";

export interface ProcessStatus {
  readonly parent: number;
  /** Its own, and that of its children that ended and were waited for. */
  readonly cpuSeconds: number;
}

const [TICKS = 100, PAGE = 4096] = ["CLK_TCK", "PAGESIZE"].map((name) =>
  Number(execFileSync("getconf", [name], { encoding: "utf8" })),
);

/** `undefined` when it has ended. */
export function processStatus(pid: number): ProcessStatus | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The second field is the name in parentheses, which may hold spaces and parentheses: proc(5).
  const fields = text
    .slice(text.lastIndexOf(")") + 2)
    .split(" ")
    .map(Number);
  const [, parent = 0] = fields;
  const ticks = fields.slice(11, 15).reduce((sum, value) => sum + value, 0);
  return { parent, cpuSeconds: ticks / TICKS };
}

/** The processes themselves and everything below them, each once. */
export function descendants(roots: readonly number[]): number[] {
  const children = new Map<number, number[]>();
  const living = new Set<number>();
  for (const name of readdirSync("/proc")) {
    const status = /^\d+$/.test(name) ? processStatus(Number(name)) : undefined;
    if (status === undefined) continue;
    living.add(Number(name));
    children.set(status.parent, [...(children.get(status.parent) ?? []), Number(name)]);
  }
  // What is added while it is walked through is walked through, too.
  const found = new Set(roots.filter((root) => living.has(root)));
  for (const pid of found) for (const child of children.get(pid) ?? []) found.add(child);
  return [...found];
}

/** Resident memory, shared pages included, in octets. */
export function residentOctets(pid: number): number {
  const [, pages = "0"] = (read(`/proc/${pid}/statm`) ?? "").split(" ");
  return Number(pages) * PAGE;
}

/** Resident memory where a page that n processes share counts as 1/n, in octets. */
export function proportionalOctets(pid: number): number {
  const kilobytes = /^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`) ?? "")?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** The most that was resident since the last `resetPeak`, or since it started, in octets. */
export function peakOctets(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1] ?? 0);
}

/** proc(5): 5 sets the peak to what is resident now. */
export function resetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, "5");
}

/** CPU seconds that all processes of this machine have used since it started. */
export function machineBusySeconds(): number {
  const [first = ""] = (read("/proc/stat") ?? "").split("\n");
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = first.split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return undefined;
  }
}
