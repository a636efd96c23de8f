// Runs one program to its end, without a shell and with a limit on its time.
// Called by debian-packages.ts (apt-get, dpkg), by availability.ts and by instance.ts (commands inside an instance).

import { spawn } from "node:child_process";

/** Debian's own programs only: a pyenv or nvm of whoever runs the stories must not get between. */
export const SYSTEM_PATH = "/usr/sbin:/usr/bin:/sbin:/bin";

export interface CommandOptions {
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  /** Default: this process's own environment, since apt-get may need its proxy settings. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 30. */
  readonly seconds?: number;
}

export interface CommandResult {
  /** `null`: ended by a signal, for instance because its time was up. */
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export function run(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file = "", ...args] = argv;
  const { promise, resolve, reject } = Promise.withResolvers<CommandResult>();
  const child = spawn(file, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: options.env ?? { ...process.env, PATH: SYSTEM_PATH, LC_ALL: "C.UTF-8" },
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout.on("data", (part: Buffer) => stdout.push(part));
  child.stderr.on("data", (part: Buffer) => stderr.push(part));
  const limit = setTimeout(
    () => {
      child.kill("SIGKILL");
      // Something that it left running may hold the pipes open; "close" must not wait for that.
      child.stdout.destroy();
      child.stderr.destroy();
    },
    (options.seconds ?? 30) * 1000,
  );
  child.on("error", (error) => {
    clearTimeout(limit);
    reject(error);
  });
  child.on("close", (code) => {
    clearTimeout(limit);
    resolve({ code, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr).toString() });
  });
  // A program may end without reading everything: its exit code says what went wrong, EPIPE does not.
  child.stdin.on("error", () => {});
  child.stdin.end(options.input);
  return promise;
}

/** As `run`, but anything other than exit code 0 is an error that holds what the program said. */
export async function runOrThrow(argv: readonly string[], options: CommandOptions = {}): Promise<Buffer> {
  const { code, stdout, stderr } = await run(argv, options);
  if (code !== 0) throw new Error(`${argv.join(" ")} exited with ${code}: ${stderr.trim()}`);
  return stdout;
}
