// Says whether stories with real programs can run on this machine, and if not, why.
// Called at the top of each story: `const skip = await storiesNeed("postfix")`, then `test("…", { skip }, …)`.

import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SYSTEM_PATH } from "./command.ts";
import { CACHE_FOLDER, debianRoot } from "./debian-packages.ts";
import { startInNamespace } from "./namespace.ts";

const TOOLS = ["apt-get", "dpkg", "flock", "mount", "nsenter", "setpriv", "unshare"];

/** Asked once for each test process. */
let machine: Promise<string | undefined> | undefined;

/**
 * `undefined` when the named Debian packages can be had and run here, else one sentence for the test runner's
 * `skip`. With HOMING_STORIES=required it throws that sentence instead: CI must not pass by leaving stories out.
 */
export async function storiesNeed(...packageNames: readonly string[]): Promise<string | undefined> {
  machine ??= machineLacks();
  const reason = (await machine) ?? (await packagesLack(packageNames));
  if (reason !== undefined && process.env.HOMING_STORIES === "required") {
    throw new Error(`HOMING_STORIES=required, but ${reason}`);
  }
  return reason;
}

async function machineLacks(): Promise<string | undefined> {
  if (process.platform !== "linux") return "real programs from Debian packages need Linux";
  if (process.getuid?.() !== 0) return "private instances need root, for their mount namespaces";
  for (const tool of TOOLS) {
    const found = SYSTEM_PATH.split(":").some((folder) => existsSync(join(folder, tool)));
    if (!found) return `${tool} is missing on this machine`;
  }
  return namespaceRefused();
}

/**
 * Containers often forbid namespaces, or overlay mounts on their own overlay, and a cache folder may be at a place
 * that cannot be laid over /usr: only a try tells.
 */
async function namespaceRefused(): Promise<string | undefined> {
  const root = join(CACHE_FOLDER, "empty");
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  try {
    for (const name of ["usr", "etc"]) await mkdir(join(root, name), { recursive: true });
    for (const name of ["etc", "dev", "var"]) await mkdir(join(folder, name));
    const { child } = await startInNamespace({ root, folder, command: ["true"], talks: false });
    child.ref();
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    return undefined;
  } catch (error) {
    return `private instances cannot run: ${oneLine(error)}`;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function packagesLack(packageNames: readonly string[]): Promise<string | undefined> {
  for (const name of packageNames) {
    try {
      await debianRoot(name);
    } catch (error) {
      return `the Debian package ${name} cannot be fetched: ${oneLine(error)}`;
    }
  }
  return undefined;
}

function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\s+/g, " ").slice(0, 300);
}
