// The `homing` command as a user runs it: a process of its own, judged by its output and exit code.
// Called by every story.
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import type { ForwarderEvent } from "@homing/forwarder";
import { type CommandOptions, type CommandResult, run } from "./command.ts";
import { settledOutput } from "./settled-output.ts";
import { waitFor } from "./wait.ts";

export const MAIN = resolve(import.meta.dirname, "../../packages/cli/bin/homing.js");
const START_SECONDS = 15;
const STOP_SECONDS = 5;

/** Compiled code of the tests' own: the command keeps some, and starts in half the time with it. */
const CACHE = resolve(import.meta.dirname, "../../.cache/xdg");
mkdirSync(CACHE, { recursive: true, mode: 0o700 });

/** Without the colour settings of whoever runs the tests, and without a trace in his home: the command keeps code of its own. */
export function plainEnvironment(): Record<string, string> {
  const { FORCE_COLOR: _, NO_COLOR: __, NODE_COMPILE_CACHE: ___, ...rest } = process.env;
  return { ...(rest as Record<string, string>), XDG_CACHE_HOME: CACHE };
}

/** Runs a command to its end. */
export function homing(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return run([process.execPath, MAIN, ...args], { env: plainEnvironment(), ...options });
}

/** As `homing`, with no more than a file's mode allows: root may read everything, unless it gives that up. */
export function homingUnprivileged(args: readonly string[]): Promise<CommandResult> {
  const giveUp = process.getuid?.() === 0 ? ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] : [];
  return run([...giveUp, process.execPath, MAIN, ...args], { env: plainEnvironment() });
}

export interface HomingProcess extends AsyncDisposable {
  readonly pid: number;
  /** Everything printed until now. */
  stdout(): string;
  stderr(): string;
  /** Waits until stdout matches; throws with all output when it does not in time. */
  waitForOutput(pattern: RegExp, seconds?: number): Promise<RegExpExecArray>;
  /** Sends the signal, waits for the end, and gives the exit code; `null` if a signal ended it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Starts a command that keeps running. */
export function startHoming(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): HomingProcess {
  return watch(spawn(process.execPath, [MAIN, ...args], { env: { ...plainEnvironment(), ...env } }));
}

export function watch(child: ChildProcessWithoutNullStreams): HomingProcess {
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (part: Buffer) => (stdout += part));
  child.stderr.on("data", (part: Buffer) => (stderr += part));
  const closed = once(child, "close");

  const stop = async (signal: NodeJS.Signals = "SIGTERM"): Promise<number | null> => {
    const kill = setTimeout(() => child.kill("SIGKILL"), STOP_SECONDS * 1000);
    if (child.exitCode === null) child.kill(signal);
    await closed;
    clearTimeout(kill);
    return child.exitCode;
  };
  return {
    pid: child.pid ?? 0,
    stdout: () => stdout,
    stderr: () => stderr,
    waitForOutput: (pattern, seconds = START_SECONDS) =>
      waitFor(() => pattern.exec(stdout) ?? undefined, {
        seconds,
        otherwise: () => `no ${pattern} in:\n${stdout}\n${stderr}`,
      }),
    stop,
    async [Symbol.asyncDispose]() {
      await stop("SIGKILL");
    },
  };
}

export interface ServiceOptions {
  /** Text of homing.yaml. */
  readonly config: string;
  /** Every table needs a postmaster: it gets one where it has none. */
  readonly aliases: string;
  /** Text of the file that is called virtual. */
  readonly virtual?: string;
  readonly secret: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** `homing serve` with files of its own in a temporary folder. */
export interface HomingService extends HomingProcess {
  readonly port: number;
  /** What it logged until now: its log may come a moment after its reply. */
  events(): Promise<ForwarderEvent[]>;
}

export async function startHomingService(options: ServiceOptions): Promise<HomingService> {
  const config = await writeServiceFiles(options);
  const service = startHoming(["serve", "--config", config], options.env);
  const cleanUp = async (): Promise<void> => {
    await service[Symbol.asyncDispose]();
    await rm(dirname(config), { recursive: true, force: true });
  };
  try {
    const [, port] = await service.waitForOutput(/"event":"listening".*"port":(\d+)/);
    return {
      ...service,
      port: Number(port),
      events: async () => jsonLines(await settledOutput(service)) as ForwarderEvent[],
      [Symbol.asyncDispose]: cleanUp,
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** @returns the path of homing.yaml */
export async function writeServiceFiles({
  config,
  aliases,
  virtual,
  secret,
}: ServiceOptions): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  await writeFile(join(folder, "homing.yaml"), withoutChecks(config));
  await writeFile(join(folder, "aliases"), withPostmaster(aliases));
  if (virtual !== undefined) await writeFile(join(folder, "virtual"), virtual);
  await writeFile(join(folder, "secrets"), `${secret}\n`, { mode: 0o600 });
  return join(folder, "homing.yaml");
}

/** Senders of tests have no DNS: whoever checks them says so. */
export function withoutChecks(config: string): string {
  if (/^\s*"?authentication"?:/m.test(config)) return config;
  const text = config.trimEnd();
  // JSON is YAML, too.
  if (text.endsWith("}") && text.startsWith("{"))
    return `${text.slice(0, -1)}, "authentication": { "mode": "off" } }\n`;
  return `${text}\nauthentication: { mode: off }\n`;
}

export function withPostmaster(aliases: string): string {
  return /^postmaster:/m.test(aliases) ? aliases : `${aliases.trimEnd()}\npostmaster: root@home.example\n`;
}

function jsonLines(text: string): unknown[] {
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as unknown);
}
