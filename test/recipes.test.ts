// Every homing.yaml of deploy/ passes `homing config check`, with nothing changed but where its files are, and whose.
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { globSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { homing } from "./harness/homing.ts";

const DEPLOY = join(import.meta.dirname, "../deploy");
const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
/** Settings that name files, and what is in such a file. */
const FILES: Readonly<Record<string, string>> = {
  secretsFile: "a secret of the recipes, long enough\n",
  aliasesFile: "ann: ann@elsewhere.example\npostmaster: ann@elsewhere.example\n",
  keyFile: privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  virtualFile: "ann@home.example ann@elsewhere.example\n",
};
const FOLDERS = ["stateDirectory"];

for (const file of globSync("**/homing.yaml", { cwd: DEPLOY }).sort()) {
  test(`deploy/${file} passes the check`, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "homing-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const config = join(folder, "homing.yaml");
    await writeFile(config, await placedIn(folder, await readFile(join(DEPLOY, file), "utf8")));
    const { code, stderr } = await homing(["config", "check", "--config", config]);
    assert.equal(code, 0, stderr);
  });
}

async function placedIn(folder: string, yaml: string): Promise<string> {
  let text = yaml;
  for (const [name, content] of Object.entries(FILES)) {
    const path = join(folder, name);
    await writeFile(path, content, { mode: 0o600 });
    text = text.replace(placeOf(name), `$1${path}`);
  }
  for (const name of FOLDERS) {
    await mkdir(join(folder, name));
    text = text.replace(placeOf(name), `$1${join(folder, name)}`);
  }
  // Folders of sockets below /run are made by the units.
  text = text.replaceAll("unix:/var/spool/postfix/homing/", `unix:${folder}/`);
  // Accounts of packages that are not on this machine.
  return text.replace(/^( *(?:owner|group): )\w+$/gm, (_, name: string) => `${name}0`);
}

/** Relative names, too: they are beside homing.yaml. */
function placeOf(setting: string): RegExp {
  return new RegExp(`^( *${setting}: +)[^\\s#]+`, "m");
}
