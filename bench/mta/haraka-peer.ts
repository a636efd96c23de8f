// Haraka as a peer, with a plugin of ours around npm's srs.js. Installed into the cache folder on the first run.
// Called by main.ts, and by bounces/srs-addresses.ts for addresses that it knows as its own.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { type Mailbox, renderMailbox } from "@homing/srs-core";
import { run } from "../../test/harness/command.ts";
import { freePort } from "../../test/harness/free-port.ts";
import {
  ALIAS,
  FORWARDING_DOMAIN,
  localPartOf,
  routes,
  SECRET,
  type Sinks,
  TIMED_ALIAS,
} from "./addresses.ts";
import { CACHE } from "./options.ts";
import { OwnProcess } from "./own-process.ts";
import { type Place, type Start, waitForGreeting } from "./peer.ts";

const SOURCE = join(import.meta.dirname, "haraka");
const INSTALLED = join(CACHE, "haraka");
const INSTALL_SECONDS = 180;
const PLUGIN = "srs-forward";

export async function startHarakaPeer({ folder, sinks, account }: Place): Promise<Start> {
  const refusal = await install();
  if (refusal !== undefined) return { ok: false, reason: `npm cannot install it: ${refusal}` };
  const package_ = join(INSTALLED, "node_modules/Haraka");
  const port = await freePort();
  writeSettings(folder, port, sinks);
  copyFileSync(join(package_, "config/connection.ini"), join(folder, "config/connection.ini"));
  const program = new OwnProcess({
    argv: [process.execPath, join(package_, "bin/haraka"), "-c", folder],
    account,
    folder,
  });
  await waitForGreeting(port, program);
  const version = `Haraka ${wantedVersion()}`;
  return { ok: true, peer: { name: "haraka", version, port, account, stop: () => program.stop() } };
}

/** By the lockfile beside the plugin, without scripts. @returns why it cannot be had. */
async function install(): Promise<string | undefined> {
  const package_ = join(INSTALLED, "node_modules/Haraka/package.json");
  if (existsSync(package_) && versionIn(package_) === wantedVersion()) return undefined;
  mkdirSync(INSTALLED, { recursive: true });
  for (const file of ["package.json", "package-lock.json"])
    copyFileSync(join(SOURCE, file), join(INSTALLED, file));
  const argv = [
    "npm",
    "install",
    "--ignore-scripts",
    "--no-save",
    "--omit=optional",
    "--no-audit",
    "--no-fund",
  ];
  // The environment as it is: npm and the Node that runs it may be anywhere on PATH.
  const env = process.env as Record<string, string>;
  const { code, stderr } = await run(argv, { cwd: INSTALLED, seconds: INSTALL_SECONDS, env });
  return code === 0 ? undefined : npmErrors(stderr);
}

function versionIn(file: string): string | undefined {
  return (JSON.parse(readFileSync(file, "utf8")) as { version?: string }).version;
}

function wantedVersion(): string | undefined {
  const text = readFileSync(join(SOURCE, "package.json"), "utf8");
  return (JSON.parse(text) as { dependencies: Record<string, string> }).dependencies.Haraka;
}

/** The first lines say what is missing; a trace and the name of a log file follow. */
function npmErrors(stderr: string): string {
  const errors = stderr.split("\n").filter((line) => line.startsWith("npm error"));
  return errors.slice(0, 3).join("; ").replaceAll("npm error ", "");
}

/** All else is as Haraka comes: one process, and its queue on disk. */
function writeSettings(folder: string, port: number, sinks: Sinks): void {
  for (const name of ["config", "plugins", "queue"]) mkdirSync(join(folder, name));
  const aliases = [ALIAS, TIMED_ALIAS].map(({ address, target }) => [localPartOf(address), target]);
  const settings = {
    secret: SECRET,
    domain: FORWARDING_DOMAIN,
    aliases: Object.fromEntries(aliases),
    routes: routes(sinks),
  };
  const files: Readonly<Record<string, string>> = {
    "smtp.ini": `listen=127.0.0.1:${port}\n`,
    me: `${FORWARDING_DOMAIN}\n`,
    "log.ini": "[main]\nlevel=notice\n",
    "outbound.ini": "enable_tls=false\nlocal_mx_ok=true\n",
    plugins: `${PLUGIN}\n`,
    [`${PLUGIN}.json`]: JSON.stringify(settings),
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "config", name), text);
  copyFileSync(join(SOURCE, `${PLUGIN}.js`), join(folder, "plugins", `${PLUGIN}.js`));
}

interface SrsJs {
  rewrite(localPart: string, domain: string): string;
}

/** Where it is installed. Its tags are no Mail::SRS's: another HMAC, of which it takes hexadecimal digits. */
export function harakaSigner(): (sender: Mailbox) => string {
  const Srs = createRequire(join(INSTALLED, "package.json"))("srs.js") as new (settings: {
    readonly secret: string;
  }) => SrsJs;
  const rewriter = new Srs({ secret: SECRET });
  return ({ localPart, domain }) =>
    renderMailbox({ localPart: rewriter.rewrite(localPart, domain), domain: FORWARDING_DOMAIN });
}
