// `homing readsocket` for the stories of pipes, and a program in place of sendmail that keeps what it gets. Called by
// pipe-command.test.ts; the stories with Postfix and procmail take the daemon alone.
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type HomingProcess, startHoming } from "./homing.ts";

export const SRS_DOMAIN = "srs.home.example";
const SECRET = "a secret of the stories of pipes, and long enough";

export interface PipeDaemon extends AsyncDisposable {
  /** Of its UNIX socket. */
  readonly socket: string;
  readonly secretsFile: string;
  readonly process: HomingProcess;
}

/** @param socket where it listens; open to everybody */
export async function startReadsocket(socket: string, more: readonly string[] = []): Promise<PipeDaemon> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const secretsFile = join(folder, "secrets");
  await writeFile(secretsFile, `${SECRET}\n`, { mode: 0o600 });
  await writeFile(
    join(folder, "homing.yaml"),
    [
      "hostname: mx.home.example",
      "domains: [home.example]",
      `srs: { domain: ${SRS_DOMAIN}, secretsFile: secrets }`,
      ...(more.length > 0 ? more : ["authentication: { mode: off }"]),
      `adapters: { readsocket: { listen: "unix:${socket}", mode: "0666" } }`,
      "",
    ].join("\n"),
  );
  const process = startHoming(["readsocket", "--config", join(folder, "homing.yaml")]);
  const end = async (): Promise<void> => {
    await process[Symbol.asyncDispose]();
    await rm(socket, { force: true });
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await process.waitForOutput(/"event":"adapter-listening"/);
  } catch (error) {
    await end();
    throw error;
  }
  return { socket, secretsFile, process, [Symbol.asyncDispose]: end };
}

export interface KeepingSendmail extends AsyncDisposable {
  readonly folder: string;
  readonly path: string;
  /** Its arguments, and what it read; undefined where it did not run. */
  got(): Promise<{ readonly args: readonly string[]; readonly message: string } | undefined>;
}

/** It ends with the code that the variable SENDMAIL_EXIT has. */
export async function keepingSendmail(): Promise<KeepingSendmail> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const path = join(folder, "sendmail");
  const script = `#!/bin/sh
printf '%s\\0' "$@" >'${folder}/args'
cat >'${folder}/message'
echo "sendmail: <private@far.example> \${SENDMAIL_SAYS:-is fine}" >&2
exit \${SENDMAIL_EXIT:-0}
`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  const read = (name: string): Promise<string | undefined> =>
    readFile(join(folder, name), "latin1").catch(() => undefined);
  return {
    folder,
    path,
    async got() {
      const [args, message] = [await read("args"), await read("message")];
      return args === undefined ? undefined : { args: args.split("\0").slice(0, -1), message: message ?? "" };
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
