// Homing as a peer: `homing serve` with files of its own, in one of the two modes.
// Called by main.ts.
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { homing, MAIN, startHoming } from "../../test/harness/homing.ts";
import { SECRET } from "./addresses.ts";
import { HOMING_ALIASES, homingConfig, type Mode } from "./homing-config.ts";
import { OwnProcess } from "./own-process.ts";
import { type Place, type Start, waitForGreeting } from "./peer.ts";

export async function startHomingPeer(mode: Mode, { folder, sinks, account }: Place): Promise<Start> {
  const port = await freePort();
  const config = join(folder, "homing.yaml");
  mkdirSync(join(folder, "state"), { mode: 0o700 });
  writeFileSync(config, homingConfig({ mode, port, sinks }));
  writeFileSync(join(folder, "aliases"), HOMING_ALIASES);
  writeFileSync(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  const refusal = await refusalOf(config);
  if (refusal !== undefined)
    return { ok: false, reason: `this Homing does not know its settings: ${refusal}` };
  await keepCode(config, folder);
  const argv = [process.execPath, MAIN, "serve", "--config", config];
  const program = new OwnProcess({ argv, account, folder });
  await waitForGreeting(port, program);
  const version = `Homing ${(await homing(["--version"])).stdout}`.trim();
  return { ok: true, peer: { name: `homing-${mode}`, version, port, account, stop: () => program.stop() } };
}

/** The first that `homing config check` has against the configuration. */
async function refusalOf(config: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await homing(["config", "check", "--config", config]);
  const [first = ""] = `${stderr}${stdout}`.trim().split("\n");
  return code === 0 ? undefined : first.replace(`homing: ${config}`, "homing.yaml");
}

/** What is measured is not the first start: that one leaves compiled code behind, as on any machine that keeps its disk. */
async function keepCode(config: string, home: string): Promise<void> {
  const first = startHoming(["serve", "--config", config], {
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
  });
  await first.waitForOutput(/"event":"listening"/);
  await first.stop();
}
