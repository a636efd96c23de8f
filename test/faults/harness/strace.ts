// strace(1), from its Debian package, on a process that runs: what it asks of the kernel, and what it is made to hear.
// Called by the stories about syncs.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { globSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { debianRoot } from "../../harness/debian-packages.ts";
import { waitFor } from "../../harness/wait.ts";

export interface Tracing extends AsyncDisposable {
  /** Lets the process go, and gives the lines of the trace. */
  stop(): Promise<readonly string[]>;
}

/** Resolves when every thread of the process is traced. */
export async function strace(pid: number, options: readonly string[]): Promise<Tracing> {
  const root = await debianRoot("strace");
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const trace = join(folder, "trace");
  const libraries = [...globSync("usr/lib/*-linux-gnu", { cwd: root }), "usr/lib"];
  const path = libraries.map((one) => join(root, one)).join(":");
  const args = ["-f", "-y", "-s", "1000000", "-o", trace, ...options, "-p", `${pid}`];
  const child = spawn(join(root, "usr/bin/strace"), args, {
    env: { LD_LIBRARY_PATH: path },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (part: Buffer) => {
    said += part;
  });
  const ended = once(child, "close");
  const letGo = (): Promise<unknown> => end(child, ended);
  await waitFor(() => /attached/.exec(said) ?? undefined, { seconds: 10, otherwise: () => said });
  return {
    async stop() {
      await letGo();
      return (await readFile(trace, "utf8")).split("\n");
    },
    async [Symbol.asyncDispose]() {
      await letGo();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** strace detaches by itself on SIGTERM. */
async function end(child: ChildProcess, ended: Promise<unknown>): Promise<void> {
  if (child.exitCode === null) child.kill("SIGTERM");
  await ended;
}

/** Tokens that were acknowledged, and those of them whose rows no sync of the log had confirmed by then. */
export function acknowledgements(lines: readonly string[]): {
  readonly seen: readonly string[];
  readonly early: readonly string[];
} {
  const written = new Set<string>();
  const synced = new Set<string>();
  /** By thread: what the sync that has begun will make durable. */
  const syncing = new Map<string, readonly string[]>();
  /** By socket: the message that came last. */
  const last = new Map<string, string>();
  /** By thread: the socket that it began to read. */
  const reading = new Map<string, string>();
  const seen: string[] = [];
  const early: string[] = [];
  for (const line of lines) {
    const thread = line.split(" ", 1)[0] ?? "";
    const socket = /(?:TCP(?:v6)?|socket):\[[^\]]*\]/.exec(line)?.[0] ?? "";
    if (/ pwrite64\(\d+<[^>]*-wal>/.test(line)) for (const token of tokensIn(line)) written.add(token);
    else if (/ f(?:data)?sync\(\d+<[^>]*-wal>/.test(line)) {
      syncing.set(thread, [...written]);
      if (/\) += 0$/.test(line)) confirm(thread);
    } else if (/<\.\.\. f(?:data)?sync resumed>\) += 0$/.test(line)) confirm(thread);
    else if (/ read\(| read resumed>/.test(line)) {
      if (line.includes(" read(")) reading.set(thread, socket);
      for (const token of tokensIn(line)) last.set(reading.get(thread) ?? "", token);
    } else if (/ writev?\(.*[^\\]"250 2\.0\.0 kept/.test(line)) {
      const token = last.get(socket) ?? "";
      seen.push(token);
      if (!synced.has(token)) early.push(token);
    }
  }
  return { seen, early };

  function confirm(thread: string): void {
    for (const token of syncing.get(thread) ?? []) synced.add(token);
    syncing.delete(thread);
  }
}

function tokensIn(line: string): string[] {
  return [...line.matchAll(/X-Token: (\S+?)\\r/g)].map(([, token]) => token ?? "");
}
