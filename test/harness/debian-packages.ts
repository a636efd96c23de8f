// Debian packages unpacked into a cache folder, one root folder each, without installing anything.
// Called by instance.ts for the root that a program runs from, and by availability.ts.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { runOrThrow } from "./command.ts";
import { withFileLock } from "./file-lock.ts";

export const CACHE_FOLDER = resolve(
  process.env.HOMING_TEST_CACHE ?? join(import.meta.dirname, "../../.cache/debian"),
);

/** A first fetch took 2 to 6 s; the rest is for a slow mirror and for others who wait for the same lock. */
const FETCH_SECONDS = 300;

/**
 * The folder that holds the files of a package and of every package that it needs and the host lacks.
 * The first call fetches it (network); later ones return at once, also in other processes.
 */
export async function debianRoot(packageName: string): Promise<string> {
  const root = join(CACHE_FOLDER, "roots", packageName);
  if (existsSync(root)) return root;
  await mkdir(join(CACHE_FOLDER, "roots"), { recursive: true });
  return withFileLock(join(CACHE_FOLDER, "lock"), FETCH_SECONDS, async () => {
    if (!existsSync(root)) await unpackInto(root, packageName);
    return root;
  });
}

async function unpackInto(root: string, packageName: string): Promise<void> {
  // Beside `roots`, so that the rename at the end stays on one file system and is atomic.
  const work = await mkdtemp(join(CACHE_FOLDER, "unpack-"));
  try {
    const debs = join(work, "debs");
    const files = join(work, "root");
    await mkdir(debs);
    for (const folder of ["usr", "etc"]) await mkdir(join(files, folder), { recursive: true });
    await download(packageName, debs);
    for (const deb of await readdir(debs)) {
      await runOrThrow(["dpkg", "-x", join(debs, deb), files], { seconds: FETCH_SECONDS });
    }
    await mergeIntoUsr(files);
    await rename(files, root);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(packageName: string, folder: string): Promise<void> {
  const apt = await privateApt();
  const attempt = async () => {
    const plan = await apt(["install", "--simulate", "--reinstall", "--no-install-recommends", packageName]);
    await apt(["download", ...packagesOfPlan(plan.toString())], folder);
  };
  try {
    await attempt();
  } catch {
    // No lists yet, or lists so old that a mirror no longer has what they name. A source that cannot be reached
    // matters only when the packages are missing for it.
    const refused = await apt(["update"]).then(
      () => "",
      (error: Error) => `; ${error.message}`,
    );
    await attempt().catch((error: Error) => {
      throw new Error(`${error.message}${refused}`);
    });
  }
}

/** `NAME=VERSION` of each package that apt would unpack, the wanted one among them: `--reinstall` sees to that. */
export function packagesOfPlan(plan: string): string[] {
  return [...plan.matchAll(/^Inst (\S+) (?:\[\S+\] )?\((\S+) /gm)].map(
    ([, name, version]) => `${name}=${version}`,
  );
}

/**
 * apt-get with lists, cache and log of our own (it logs its planning even when it only simulates). The host's dpkg
 * status stays in use, and so does its apt configuration (sources, proxy), except that its update hooks are cleared:
 * they would write to caches of the host.
 */
async function privateApt(): Promise<(args: readonly string[], cwd?: string) => Promise<Buffer>> {
  const state = join(CACHE_FOLDER, "apt");
  for (const folder of ["lists/partial", "cache/archives/partial", "log"]) {
    await mkdir(join(state, folder), { recursive: true });
  }
  const config = join(state, "apt.conf");
  await writeFile(
    config,
    `Dir::State::lists "${join(state, "lists")}";
Dir::Cache "${join(state, "cache")}";
Dir::Log "${join(state, "log")}";
Debug::NoLocking "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
APT::Update::Error-Mode "any";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
`,
  );
  return (args, cwd = state) =>
    runOrThrow(["apt-get", "--config-file", config, "--quiet", ...args], { cwd, seconds: FETCH_SECONDS });
}

/**
 * Debian 12 packages may still ship /bin and /lib, which are links into /usr on every host: only what lies below
 * usr and etc is laid over the host's.
 */
async function mergeIntoUsr(files: string): Promise<void> {
  for (const name of ["bin", "sbin", "lib", "lib64"]) {
    const folder = join(files, name);
    if (!existsSync(folder)) continue;
    await runOrThrow(["cp", "-a", folder, join(files, "usr")]);
    await rm(folder, { recursive: true });
  }
}
