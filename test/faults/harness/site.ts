// A Homing with a state directory that outlives its processes: started, killed and started again by the stories.
import { spawn } from "node:child_process";
import { mkdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { ForwarderEvent } from "@homing/forwarder";
import {
  type HomingProcess,
  MAIN,
  plainEnvironment,
  watch,
  writeServiceFiles,
} from "../../harness/homing.ts";

export interface SiteOptions {
  /** Default: forwarder.example. */
  readonly domain?: string;
  /** Default: alice, at home.example. */
  readonly aliases?: string;
  /** Ports by destination domain. */
  readonly routes: Readonly<Record<string, number>>;
  readonly acceptance?: "spooled" | "in-session";
  readonly trustedNetworks?: readonly string[];
  readonly port?: number;
  readonly limits?: Readonly<Record<string, number>>;
  readonly delivery?: Readonly<Record<string, unknown>>;
  readonly queue?: Readonly<Record<string, number>>;
  /** Checks senders with the DNS server on this port: without it nobody is checked. */
  readonly dnsPort?: number;
}

export interface StartOptions {
  /** A program and its arguments that start ours behind them. */
  readonly behind?: readonly string[];
  /** Not `homing serve` but server.ts, which has the same threads, with these times in place of the configuration's. */
  readonly seconds?: ServerTimes;
}

/** In seconds: the configuration has minutes, which no story can wait for. */
export interface ServerTimes {
  readonly queueTimes?: { readonly firstRetry: number; readonly maxRetry: number };
  readonly waits?: { readonly unverified: number };
}

export interface Service extends HomingProcess {
  readonly port: number;
  events(): ForwarderEvent[];
}

export interface Site extends AsyncDisposable {
  readonly stateFolder: string;
  start(options?: StartOptions): Promise<Service>;
}

/** For stories that make SRS addresses themselves. */
export const SECRET = "a secret of the fault suite, long enough";
const SERVER = join(import.meta.dirname, "server.ts");

export async function createSite(options: SiteOptions): Promise<Site> {
  const path = await writeServiceFiles({
    // JSON is YAML. A setting a line: writeServiceFiles looks for some.
    config: JSON.stringify(configOf(options), null, 1),
    aliases: options.aliases ?? "alice: alice@home.example\n",
    secret: SECRET,
  });
  const stateFolder = join(dirname(path), "state");
  await mkdir(stateFolder, { mode: 0o700 });
  const started = new Set<Service>();
  return {
    stateFolder,
    async start({ behind = [], seconds } = {}) {
      const ours = seconds ? [SERVER, path, JSON.stringify(seconds)] : [MAIN, "serve", "--config", path];
      const [program = "", ...args] = [...behind, process.execPath, ...ours];
      const service = await listening(watch(spawn(program, args, { env: plainEnvironment() })));
      started.add(service);
      return service;
    },
    async [Symbol.asyncDispose]() {
      for (const service of started) await service[Symbol.asyncDispose]();
      await rm(dirname(path), { recursive: true, force: true });
    },
  };
}

function configOf({ domain = "forwarder.example", ...options }: SiteOptions): object {
  const places = Object.entries(options.routes).map(([name, port]) => [name, `127.0.0.1:${port}`]);
  return {
    hostname: `mx.${domain}`,
    listen: `127.0.0.1:${options.port ?? 0}`,
    domains: [domain],
    aliasesFile: "aliases",
    srs: { domain, secretsFile: "secrets" },
    stateDirectory: "state",
    trustedNetworks: options.trustedNetworks ?? ["127.0.0.1"],
    delivery: {
      acceptance: options.acceptance ?? "spooled",
      ...options.delivery,
      routes: Object.fromEntries(places),
    },
    limits: { clients: 500, ...options.limits },
    queue: options.queue ?? {},
    ...(options.dnsPort === undefined
      ? {}
      : { dns: { servers: [`127.0.0.1:${options.dnsPort}`] }, authentication: {} }),
  };
}

async function listening(running: HomingProcess): Promise<Service> {
  const [, port] = await running.waitForOutput(/"event":"listening".*"port":(\d+)/);
  return {
    ...running,
    port: Number(port),
    events: () =>
      running
        .stdout()
        .split("\n")
        .slice(0, -1)
        .map((line) => JSON.parse(line) as ForwarderEvent),
  };
}
