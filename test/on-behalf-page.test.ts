// "Set it up" of docs/on-behalf.md: its files, made by its commands, are a configuration that `homing config check` takes.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { plainEnvironment } from "./harness/homing.ts";

const ROOT = resolve(import.meta.dirname, "..");
const STATE = "/var/lib/homing";

test("docs/on-behalf.md: the configuration passes the check that ends it", async (t) => {
  const page = await readFile(join(ROOT, "docs/on-behalf.md"), "utf8");
  const [, section = ""] = page.split("\n## Set it up\n");
  const [yaml = "", commands = ""] = [...section.matchAll(/^```\w*\n([\s\S]*?)^```$/gm)].map(
    ([, text = ""]) => text,
  );
  assert.ok(yaml.includes(STATE));
  assert.match(commands, / --dns system\n$/);

  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, "state"));
  await writeFile(join(folder, "homing.yaml"), yaml.replace(STATE, "state"));
  // The domains of the page are nobody's: without what DNS says of them.
  const script = commands.replace(" --dns system\n", "\n");
  const env = {
    ...plainEnvironment(),
    PATH: `${join(ROOT, "node_modules/.bin")}${delimiter}${process.env.PATH}`,
  };
  const { stdout, stderr } = await promisify(execFile)("sh", ["-ec", script], { cwd: folder, env });
  assert.match(stdout, /^homing\.yaml and the files that it names are good: mx\.site\.example /m);
  assert.doesNotMatch(stderr, /warning/);
});
