// One adapter of Homing as a process of its own, with the secret of all benches. Called by main.ts.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type HomingProcess, startHoming } from "../../test/harness/homing.ts";
import { FORWARDING_DOMAIN, SECRET } from "../mta/addresses.ts";
import { residentOctets } from "../mta/process-table.ts";

export interface HomingAdapter {
  readonly command: string;
  readonly port: number;
  residentMB(): number;
  stop(): Promise<void>;
}

/** The socketmap's, beside its port. @param parent the folder of the run */
export function socketIn(parent: string): string {
  return join(parent, "socketmap", "socket");
}

const SETTINGS = {
  socketmap: 'socketmap: { listen: ["127.0.0.1:0", "unix:SOCKET"] }',
  "tcp-tables": 'tcpTables: { forward: "127.0.0.1:0" }',
  // Nobody's tables: every recipient counts as one who leaves.
  milter: 'milter: { listen: "127.0.0.1:0", rewrite: always }',
} as const;

export async function startHomingAdapter(
  command: keyof typeof SETTINGS,
  parent: string,
): Promise<HomingAdapter> {
  const folder = join(parent, command);
  mkdirSync(folder);
  writeFileSync(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  const config = join(folder, "homing.yaml");
  writeFileSync(
    config,
    `hostname: ${FORWARDING_DOMAIN}
domains: [${FORWARDING_DOMAIN}]
srs: { domain: ${FORWARDING_DOMAIN}, secretsFile: secrets }
authentication: { mode: off }
adapters:
  ${SETTINGS[command].replace("SOCKET", socketIn(parent))}
`,
  );
  // The first start after an update translates and keeps the code; every later one is as the second.
  await (await listening(command, config)).process.stop();
  const { process, port } = await listening(command, config);
  return {
    command,
    port,
    residentMB: () => residentOctets(process.pid) / 1e6,
    stop: async () => void (await process.stop()),
  };
}

async function listening(
  command: string,
  config: string,
): Promise<{ readonly process: HomingProcess; readonly port: number }> {
  const process = startHoming([command, "--config", config]);
  const [, port] = await process.waitForOutput(/"event":"adapter-listening".*"place":"127\.0\.0\.1:(\d+)"/);
  return { process, port: Number(port) };
}
