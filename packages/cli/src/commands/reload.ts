// `homing reload`: tells the running service to read its route tables anew. The tables are checked first, here, so that
// whoever changed them hears at once what is wrong; the service checks them again before it takes them.
import { readFile } from "node:fs/promises";
import process from "node:process";
import { loadConfig } from "../config/load-config.ts";
import { CommandFailure, EXIT } from "../failure.ts";
import { createOutput } from "../output.ts";
import { readTables } from "../route-tables.ts";
import { pidPath } from "../service/pid-file.ts";

export interface ReloadCommandOptions {
  readonly config: string;
  readonly json?: true;
}

/** Returns the exit code. */
export async function reload(options: ReloadCommandOptions): Promise<number> {
  const output = createOutput(options.json === true);
  const config = await loadConfig(options.config);
  const path = pidPath(config, options.config);
  if (path === undefined) {
    throw new CommandFailure(
      "config",
      `${options.config}: pidFile is not set: set it and restart the service, or send SIGHUP to it yourself`,
    );
  }
  await readTables(config, options.config);
  const pid = await runningPid(path);
  if (!(await isHoming(pid))) throw new CommandFailure("unavailable", notRunning(pid, path));
  try {
    process.kill(pid, "SIGHUP");
  } catch (error) {
    throw signalFailure(pid, path, error);
  }
  output.talk(`homing: told process ${pid} to read its tables; its log says reloaded, or what is wrong`);
  if (output.json) output.document({ ok: true, pid });
  return EXIT.ok;
}

const MAX_PID = 4_194_304;

async function runningPid(path: string): Promise<number> {
  const text = await readFile(path, "utf8").catch(() => {
    throw new CommandFailure("unavailable", `${path}: there is no such file: is homing serve running?`);
  });
  const pid = Number(text.trim());
  // In a container the service is process 1.
  if (Number.isInteger(pid) && pid > 0 && pid <= MAX_PID) return pid;
  throw new CommandFailure("config", `${path}: this is not the pid file of homing serve: correct pidFile`);
}

function signalFailure(pid: number, path: string, error: unknown): CommandFailure {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "EPERM") {
    return new CommandFailure(
      "permission",
      `process ${pid} belongs to another user: run this as that user, or as root`,
    );
  }
  return new CommandFailure("unavailable", notRunning(pid, path));
}

/** The number of a process that is gone may be another one's, which SIGHUP would end. Told by Linux alone. */
async function isHoming(pid: number): Promise<boolean> {
  if (process.platform !== "linux") return true;
  const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return command.split("\0").includes("serve");
}

function notRunning(pid: number, path: string): string {
  return `process ${pid}, which ${path} names, is not homing serve: start it`;
}
