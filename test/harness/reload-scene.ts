// A running `homing serve` whose tables can be replaced, and the next hop that it delivers to. Called by the stories about
// reloads.
import { rename, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Hop, hello, startHop } from "../../packages/forwarder/src/testing/smtp-peers.ts";
import { type HomingProcess, startHoming, writeServiceFiles } from "./homing.ts";

export interface ReloadScene extends AsyncDisposable {
  readonly service: HomingProcess;
  readonly hop: Hop;
  readonly port: number;
  readonly folder: string;
  /** Path of homing.yaml. */
  readonly config: string;
  /** Path of the aliases file. */
  readonly path: string;
  /** Replaces the aliases file at once. */
  aliases(text: string): Promise<void>;
}

/** @param more lines of homing.yaml */
export async function startReloadScene(aliases: string, more = ""): Promise<ReloadScene> {
  const hop = await startHop();
  const config = await writeServiceFiles({
    config: `hostname: mx.forwarder.example
listen: 127.0.0.1:0
domains: [forwarder.example]
aliasesFile: aliases
pidFile: pid
srs: { domain: forwarder.example, secretsFile: secrets }
dkim: unsigned
delivery: { smartHost: "127.0.0.1:${hop.port}" }
${more}`,
    aliases,
    secret: "a secret of the stories, long enough",
  });
  const service = startHoming(["serve", "--config", config]);
  const [, port] = await service.waitForOutput(/"event":"listening".*"port":(\d+)/);
  const folder = dirname(config);
  const path = join(folder, "aliases");
  return {
    service,
    hop,
    port: Number(port),
    folder,
    config,
    path,
    async aliases(text) {
      await writeFile(`${path}.new`, text);
      await rename(`${path}.new`, path);
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await hop[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The reply to a recipient. */
export async function rcpt(port: number, to: string): Promise<string> {
  using client = await hello({ port });
  await client.ask("MAIL FROM:<bob@source.example>");
  return await client.ask(`RCPT TO:<${to}>`);
}
