// A site that forwards by pipes: a real Postfix with users, `homing serve` behind it, and the rest of the world as a scripted hop.
// The files of deploy/ are its configuration; places and names are replaced in their text. Called by forward-pipe.test.ts and
// procmail.test.ts.
import { chmod, chown, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { freePort } from "./free-port.ts";
import { type HomingProcess, startHoming } from "./homing.ts";
import { type Postfix, startPostfix } from "./postfix.ts";
import { type ScriptedHop, startScriptedHop } from "./scripted-hop.ts";

const REPOSITORY = resolve(import.meta.dirname, "../..");
const DEPLOY = join(REPOSITORY, "deploy");
export const SRS_DOMAIN = "srs.home.example";
const SOCKET = "/var/homing/readsocket";
const WRAPPER = "/var/homing/homing";

export interface PipeSiteOptions {
  readonly users: readonly string[];
  /** Files of users, by user and name, such as `alice/.forward`: recipes, whose places are replaced. */
  readonly files?: Readonly<Record<string, string>>;
  readonly aliases?: Readonly<Record<string, string>>;
  readonly settings?: Readonly<Record<string, string>>;
  readonly seen?: Readonly<Record<string, string>>;
  /** What the rest of the world says to RCPT; undefined to take it. */
  readonly refusal?: (recipient: string) => string | undefined;
}

export interface PipeSite extends AsyncDisposable {
  readonly postfix: Postfix;
  readonly world: ScriptedHop;
  readonly secretsFile: string;
  startHoming(): Promise<HomingProcess>;
  /** As the recipe has it, with the places of this story. */
  placed(recipe: string): string;
}

export async function recipe(path: string): Promise<string> {
  return await readFile(join(DEPLOY, path), "utf8");
}

export async function startPipeSite(options: PipeSiteOptions): Promise<PipeSite> {
  await using stack = new AsyncDisposableStack();
  const world = stack.use(await startScriptedHop(options.refusal));
  const serve = await freePort();
  const settings = parametersOf(await recipe("forward-pipe/main.cf"));
  const placed = (text: string): string =>
    text
      .replaceAll("/usr/local/bin/homing pipe", `${WRAPPER} pipe --socket ${SOCKET}`)
      .replaceAll("/usr/local/bin/homing", WRAPPER)
      .replaceAll("127.0.0.1]:2525", `127.0.0.1]:${serve}`)
      .replaceAll("/etc/homing/", "/var/homing/");
  const postfix = stack.use(
    await startPostfix({
      hostname: "mx.home.example",
      destinations: ["home.example"],
      relayHost: `[127.0.0.1]:${world.port}`,
      mailboxes: options.users,
      aliases: mapped(options.aliases ?? {}, placed),
      seen: { homing: REPOSITORY, ...options.seen },
      settings: {
        ...mapped(settings, placed),
        forward_path: "/var/mail/$user/.forward",
        // After a second, qmgr may find what local has still locked, and lets it lie until it is started anew.
        minimal_backoff_time: "3s",
        maximal_backoff_time: "3s",
        ...mapped(options.settings ?? {}, placed),
      },
    }),
  );
  await installSendmail(postfix);
  await installHoming(postfix);
  for (const [name, text] of Object.entries(options.files ?? {})) await writeFor(postfix, name, placed(text));
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, "secrets"), "a secret of the stories of pipes, long enough\n", {
    mode: 0o600,
  });
  await writeFile(join(folder, "homing.yaml"), await configuration(postfix, { serve, folder }));
  const rest = stack.move();
  return {
    postfix,
    world,
    placed,
    secretsFile: join(folder, "secrets"),
    async startHoming() {
      const homing = startHoming(["serve", "--config", join(folder, "homing.yaml")]);
      await homing.waitForOutput(/"event":"adapter-listening","adapter":"readsocket"/, 8);
      await homing.waitForOutput(/"event":"listening"/);
      return homing;
    },
    [Symbol.asyncDispose]: () => rest.disposeAsync(),
  };
}

async function configuration(
  postfix: Postfix,
  { serve, folder }: { readonly serve: number; readonly folder: string },
): Promise<string> {
  const text = await recipe("forward-pipe/homing.yaml");
  return (
    text
      .replace("127.0.0.1:2525", `127.0.0.1:${serve}`)
      .replace("127.0.0.1:25 ", `127.0.0.1:${postfix.port} `)
      .replace("/var/lib/homing", join(folder, "state"))
      .replace("/run/homing/readsocket", join(postfix.folder, SOCKET))
      .replace("unix:/var/spool/postfix", `unix:${join(postfix.folder, "var/spool/postfix")}`)
      // The group postfix is one of the instance.
      .replace('"0660"', '"0666"')
  );
}

/** Postfix's package has its postdrop without the group that its installation gives: a user could submit nothing. */
async function installSendmail(postfix: Postfix): Promise<void> {
  const script =
    "cp /usr/sbin/postdrop /var/lib/postdrop && chgrp postdrop /var/lib/postdrop && chmod 2755 /var/lib/postdrop && " +
    "mount --bind /var/lib/postdrop /usr/sbin/postdrop";
  const { code, stderr } = await postfix.run(["sh", "-c", script]);
  if (code !== 0) throw new Error(`postdrop: ${stderr}`);
}

/** The wrapper of the recipe, at a place where an instance lets us write. */
async function installHoming(postfix: Postfix): Promise<void> {
  const folder = join(postfix.folder, "var/homing");
  await mkdir(folder);
  await mkdir(join(postfix.folder, "var/spool/postfix/homing"));
  const node = relative(join(REPOSITORY, "node_modules/.bin"), process.execPath);
  const wrapper = (await recipe("forward-pipe/homing")).replace("root=/opt/homing", "root=/var/seen/homing");
  const isOurs = !node.startsWith("../../../");
  await writeFile(
    join(folder, "homing"),
    isOurs ? wrapper : wrapper.replaceAll("$root/node_modules/.bin/node", process.execPath),
  );
  await chmod(join(folder, "homing"), 0o755);
}

async function writeFor(postfix: Postfix, name: string, text: string): Promise<void> {
  const [user = ""] = name.split("/");
  const { uid, gid } = await stat(join(postfix.folder, "var/mail", user));
  const file = join(postfix.folder, "var/mail", name);
  await writeFile(file, text, { mode: 0o600 });
  await chown(file, uid, gid);
}

/** Of main.cf: continued lines begin with a blank. */
function parametersOf(text: string): Record<string, string> {
  const lines = text
    .replace(/^#.*\n/gm, "")
    .replace(/\n[ \t]+/g, " ")
    .trim()
    .split("\n");
  return Object.fromEntries(lines.map((line) => line.split(/ = (.*)/, 2) as [string, string]));
}

function mapped(
  entries: Readonly<Record<string, string>>,
  change: (text: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(entries).map(([name, value]) => [name, change(value)]));
}
