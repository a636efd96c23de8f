// A service manager for stories: it hands over listening sockets, is notified through Debian's systemd-notify, starts
// the service and ends it, as systemd does. Called by the stories of the service.
import { spawn } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { SYSTEM_PATH } from "./command.ts";
import { debianRoot } from "./debian-packages.ts";
import { MAIN, plainEnvironment, type ServiceOptions, watch, writeServiceFiles } from "./homing.ts";

const SCRIPT = join(import.meta.dirname, "service-manager.pl");

export interface ManagerOptions extends ServiceOptions {
  /** Listening on 127.0.0.1 (`tcp`), on IPv6 with IPv4 clients (`tcp6`), or none of TCP. Default: no socket. */
  readonly sockets?: {
    readonly kind: "tcp" | "tcp6" | "unix";
    readonly count?: number;
    readonly names?: string;
  };
  /** Default: a path. */
  readonly notifySocket?: "abstract" | "path" | "nobody listens";
}

export interface ServiceManager extends AsyncDisposable {
  /** Of the first socket that it holds. */
  port(): Promise<number>;
  start(): void;
  terminate(): void;
  /** What manager and service printed: `port N`, `notified NAME=value`, `ended CODE`, and the service's log. */
  stdout(): string;
  waitForOutput(pattern: RegExp): Promise<RegExpExecArray>;
}

export async function startServiceManager(options: ManagerOptions): Promise<ServiceManager> {
  const config = await writeServiceFiles(options);
  const folder = dirname(config);
  const { kind = "tcp", count = options.sockets ? 1 : 0, names = "" } = options.sockets ?? {};
  const notify = options.notifySocket === "abstract" ? `@${folder}` : join(folder, "notify");
  const told = options.notifySocket === "nobody listens" ? join(folder, "nobody") : notify;
  // The service's stderr is told with the rest.
  const serve = [process.execPath, MAIN, "serve", "--config", config];
  const command = ["sh", "-c", 'exec "$@" 2>&1', "sh", ...serve];
  const child = spawn("perl", [SCRIPT, notify, told, kind, String(count), names, ...command], {
    env: { ...plainEnvironment(), PATH: `${await systemdNotify(folder)}:${SYSTEM_PATH}` },
  });
  child.stdin.on("error", () => {});
  const { stdout, waitForOutput, [Symbol.asyncDispose]: end } = watch(child);
  return {
    stdout,
    waitForOutput,
    port: async () => Number((await waitForOutput(/^port (\d+)$/m))[1]),
    start: () => void child.stdin.write("s"),
    terminate: () => void child.stdin.write("t"),
    async [Symbol.asyncDispose]() {
      // It ends the service, and itself.
      child.stdin.end();
      await waitForOutput(/^over$/m);
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A folder for PATH with systemd-notify from Debian's package, whose libraries are not where it looks for them. */
async function systemdNotify(folder: string): Promise<string> {
  const root = await debianRoot("systemd");
  const libraries = process.arch === "arm64" ? "aarch64-linux-gnu" : "x86_64-linux-gnu";
  const path = [libraries, `${libraries}/systemd`].map((name) => join(root, "usr/lib", name)).join(":");
  const script = `#!/bin/sh\nLD_LIBRARY_PATH='${path}' exec '${root}/usr/bin/systemd-notify' "$@"\n`;
  await mkdir(join(folder, "bin"));
  await writeFile(join(folder, "bin/systemd-notify"), script, { mode: 0o755 });
  return join(folder, "bin");
}
