// Homing as a peer: `homing serve` with files of its own, in one of the two modes.
// Called by main.ts, and by the bench of bounces.
import { generateKeyPairSync } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { homing, MAIN, startHoming } from "../../test/harness/homing.ts";
import { ALIAS, SECRET, SENDER } from "./addresses.ts";
import {
  DKIM_KEY_FILE,
  type DkimKey,
  type Extras,
  homingAliases,
  homingConfig,
  type Mode,
} from "./homing-config.ts";
import { OwnProcess } from "./own-process.ts";
import { type Place, type Start, waitForGreeting } from "./peer.ts";
import { plainMessage, sendOne } from "./send-one.ts";
import { unitEnvironment } from "./unit-environment.ts";

/** What most sites sign with. */
const RSA_BITS = 2048;
const MESSAGE_OCTETS = 4000;

/** Of mail, as the mode promises it: a benchmark of the other one would look just as good. */
const REPLIES: Readonly<Record<Mode, string>> = { durable: "kept", "in-session": "passed on" };

export async function startHomingPeer(
  mode: Mode,
  { folder, sinks, account }: Place,
  extras: Extras = {},
): Promise<Start> {
  const port = await freePort();
  const config = join(folder, "homing.yaml");
  mkdirSync(stateIn(folder), { mode: 0o700 });
  writeFileSync(config, homingConfig({ mode, port, sinks, ...extras }));
  writeFileSync(join(folder, "aliases"), homingAliases(extras));
  writeFileSync(join(folder, "secrets"), `${SECRET}\n`, { mode: 0o600 });
  if (extras.dkim) {
    writeFileSync(join(folder, DKIM_KEY_FILE), newKey(extras.dkim), { mode: 0o600 });
  }
  const refusal = await refusalOf(config);
  if (refusal !== undefined)
    return { ok: false, reason: `this Homing does not know its settings: ${refusal}` };
  await keepCode(config, folder, port);
  const argv = [process.execPath, MAIN, "serve", "--config", config];
  const program = new OwnProcess({ argv, account, folder, env: unitEnvironment() });
  await waitForGreeting(port, program);
  const version = `Homing ${(await homing(["--version"])).stdout}`.trim();
  const mailReply = REPLIES[mode];
  return {
    ok: true,
    peer: { name: `homing-${mode}`, version, port, account, mailReply, stop: () => program.stop() },
  };
}

function stateIn(folder: string): string {
  return join(folder, "state");
}

function newKey(kind: DkimKey): string {
  const { privateKey } =
    kind === "rsa" ? generateKeyPairSync("rsa", { modulusLength: RSA_BITS }) : generateKeyPairSync("ed25519");
  return privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

/** The first that `homing config check` has against the configuration. */
async function refusalOf(config: string): Promise<string | undefined> {
  const { code, stdout, stderr } = await homing(["config", "check", "--config", config]);
  const [first = ""] = `${stderr}${stdout}`.trim().split("\n");
  return code === 0 ? undefined : first.replace(`homing: ${config}`, "homing.yaml");
}

/**
 * What is measured is not the first start: that one leaves compiled code behind, as on any machine that keeps its disk. A message
 * has it load the code of its threads, too; its next hop is not there yet, and what is queued goes.
 */
async function keepCode(config: string, home: string, port: number): Promise<void> {
  await using first = startHoming(["serve", "--config", config], {
    HOME: home,
    XDG_CACHE_HOME: join(home, ".cache"),
  });
  await first.waitForOutput(/"event":"listening"/);
  const envelope = { from: SENDER, to: ALIAS.address };
  const message = plainMessage({ ...envelope, id: "first-start" }, MESSAGE_OCTETS);
  const { reply } = await sendOne(port, { ...envelope, message });
  if (reply.startsWith("5")) throw new Error(`Homing refused its first message: ${reply}`);
  await first.waitForOutput(/"event":"not-delivered"/);
  await first.stop();
  const kept = join(home, ".cache/homing/code");
  if (!existsSync(kept) || readdirSync(kept).length === 0)
    throw new Error("Homing left no compiled code behind");
  rmSync(stateIn(home), { recursive: true });
  mkdirSync(stateIn(home), { mode: 0o700 });
}
