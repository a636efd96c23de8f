// load.ts under strace(1), from its Debian package: what the kernel was asked for, in order, and what it is made to answer.
// Called by spool-crash.test.ts.
import { spawn } from "node:child_process";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { type CommandResult, run } from "../harness/command.ts";
import { debianRoot } from "../harness/debian-packages.ts";

export const LOAD = resolve(import.meta.dirname, "load.ts");

export interface Traced {
  readonly stdout: string;
  readonly stderr: string;
  readonly lines: readonly string[];
}

/** Runs load.ts with these arguments to its end. */
export function traced(options: readonly string[], program: readonly string[]): Promise<Traced> {
  return withStrace(async (strace, trace) => {
    const command = [...strace, ...options, process.execPath, LOAD, ...program];
    const { stdout, stderr } = await run(command, { seconds: 60 });
    return { stdout: stdout.toString(), stderr, lines: await linesOf(trace) };
  });
}

/** Runs load.ts, and traces it from when it has said so many lines: the counters of strace are each thread's own. */
export function tracedLater(
  options: readonly string[],
  program: readonly string[],
  after: number,
): Promise<Traced> {
  return withStrace(async (strace, trace) => {
    const load = spawn(process.execPath, [LOAD, ...program], { stdio: ["ignore", "pipe", "inherit"] });
    const said: string[] = [];
    let tracing: Promise<CommandResult> | undefined;
    for await (const line of createInterface(load.stdout)) {
      said.push(line);
      if (said.length === after) tracing = run([...strace, ...options, "-p", `${load.pid}`], { seconds: 60 });
    }
    const stderr = (await tracing)?.stderr ?? "";
    return { stdout: `${said.join("\n")}\n`, stderr, lines: await linesOf(trace) };
  });
}

async function withStrace<T>(work: (strace: readonly string[], trace: string) => Promise<T>): Promise<T> {
  const root = await debianRoot("strace");
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const trace = join(folder, "trace");
  const libraries = [...globSync("usr/lib/*-linux-gnu", { cwd: root }), "usr/lib"];
  const path = libraries.map((one) => join(root, one)).join(":");
  // What it traces gets Node's own libraries, not these.
  const strace = ["env", `LD_LIBRARY_PATH=${path}`, join(root, "usr/bin/strace"), "-E", "LD_LIBRARY_PATH"];
  try {
    return await work([...strace, "-f", "-y", "-o", trace], trace);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function linesOf(trace: string): Promise<string[]> {
  return (await readFile(trace, "utf8")).split("\n");
}

/** The ids whose acknowledgement was written before a sync of the log that began after their rows were written. */
export function acknowledgedTooEarly(lines: readonly string[]): {
  readonly early: string[];
  readonly seen: number;
} {
  const written = new Set<string>();
  const synced = new Set<string>();
  /** By thread: what the sync that has begun will make durable. */
  const syncing = new Map<string, string[]>();
  const early: string[] = [];
  let seen = 0;
  for (const line of lines) {
    const thread = line.split(" ", 1)[0] ?? "";
    if (/ pwrite64\(\d+<[^>]*-wal>/.test(line)) for (const id of idsIn(line)) written.add(id);
    else if (/ f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) {
      syncing.set(thread, [...written]);
      if (/\) += 0$/.test(line)) settle(thread);
    } else if (/<\.\.\. f(?:data)?sync resumed>\) += 0$/.test(line)) settle(thread);
    else if (/ write\(1<[^>]*>, "stored /.test(line)) {
      for (const id of idsIn(line)) {
        seen++;
        if (!synced.has(id)) early.push(id);
      }
    }
  }
  return { early, seen };

  function settle(thread: string): void {
    for (const id of syncing.get(thread) ?? []) synced.add(id);
    syncing.delete(thread);
  }
}

function idsIn(line: string): string[] {
  return [...line.matchAll(/trace\d+-[0-9a-f]{32}/g)].map(([id]) => id);
}
