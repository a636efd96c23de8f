// `homing sendmail` as a program calls it, with settings of its own. Each file of stories about it has a folder of its own, which
// goes when they are over.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import type { CommandResult } from "./command.ts";
import { homing, plainEnvironment } from "./homing.ts";
import {
  certifyLocalhost,
  type SubmissionPeerOptions,
  startSubmissionPeer,
  type TakenMail,
} from "./submission-peer.ts";

/** With the certificate that its servers have, and the password of SETTINGS. */
export const FOLDER = await mkdtemp(join(tmpdir(), "homing-"));
after(() => rm(FOLDER, { recursive: true, force: true }));
await certifyLocalhost(FOLDER);
await writeFile(join(FOLDER, "password"), "a good password\n", { mode: 0o600 });

/** All but the server. */
export const SETTINGS = {
  name: "web",
  passwordFile: "password",
  caFile: "cert.pem",
  from: "cards@site.example",
};
export type Settings = Readonly<Record<string, string | number | undefined>>;

export interface Call {
  readonly argv?: readonly string[];
  readonly input?: string;
  /** Instead of those of SETTINGS. */
  readonly settings?: Settings;
  readonly peer?: Omit<SubmissionPeerOptions, "folder"> | undefined;
}

export interface Sent extends CommandResult {
  readonly taken: readonly TakenMail[];
  readonly logIns: number;
}

export const MESSAGE = "To: ann@a.example\nSubject: x\n\nHello.\n";

let files = 0;
export async function settingsFile(settings: Settings): Promise<string> {
  files += 1;
  const path = join(FOLDER, `sendmail-${files}.yaml`);
  await writeFile(path, JSON.stringify(settings));
  return path;
}

/** With a submission server that is there for this call. */
export async function sendmail({
  argv = ["-t", "-i"],
  input = MESSAGE,
  settings = {},
  peer = {},
}: Call): Promise<Sent> {
  await using server = await startSubmissionPeer({ folder: FOLDER, ...peer });
  const config = await settingsFile({ server: `localhost:${server.port}`, ...SETTINGS, ...settings });
  const result = await homing(["sendmail", ...argv], {
    input: Buffer.from(input, "latin1"),
    env: { ...plainEnvironment(), HOMING_SENDMAIL_CONFIG: config },
  });
  return { ...result, taken: server.taken, logIns: server.logIns };
}

/** With a server that is there already, or none. */
export async function callWith(
  settings: Settings,
  argv: readonly string[],
  input = MESSAGE,
): Promise<CommandResult> {
  const config = await settingsFile(settings);
  return await homing(["sendmail", "--config", config, ...argv], { input: Buffer.from(input, "latin1") });
}
