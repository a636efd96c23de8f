import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type TestContext, test } from "node:test";
import { preparePidFile } from "./pid-file.ts";

const OWN = `${process.pid}\n`;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

test("another process keeps the file until this one serves, and nothing is left at the end", async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, "pid");
  await writeFile(path, "4711\n");
  const file = await preparePidFile(path);
  assert.equal(await readFile(path, "utf8"), "4711\n");
  await file.publish();
  assert.equal(await readFile(path, "utf8"), OWN);
  await file.remove();
  assert.deepEqual(await readdir(folder), []);
  await file.remove();
});

test("a start that fails leaves the file of the process that serves, and one that was replaced stays", async (t) => {
  const folder = await folderOf(t);
  const path = join(folder, "pid");
  await writeFile(path, "4711\n");
  await (await preparePidFile(path)).remove();
  assert.deepEqual(await readdir(folder), ["pid"]);
  const file = await preparePidFile(path);
  await file.publish();
  await writeFile(path, "4712\n");
  await file.remove();
  assert.equal(await readFile(path, "utf8"), "4712\n");
});

test("without a setting there is nothing to do", async () => {
  const file = await preparePidFile(undefined);
  await file.publish();
  await file.remove();
});

const unfit: [what: string, make: (folder: string) => Promise<string>, words: RegExp][] = [
  [
    "a folder that is not there",
    async (folder) => join(folder, "run/pid"),
    /^pid file .*\/run\/pid: there is no folder .*\/run: make it, or change pidFile$/,
  ],
  [
    "a file as its folder",
    async (folder) => {
      await writeFile(join(folder, "run"), "");
      return join(folder, "run/pid");
    },
    /there is no folder/,
  ],
  [
    "a folder in its place",
    async (folder) => {
      await mkdir(join(folder, "pid"));
      return join(folder, "pid");
    },
    /^pid file .*: this is a directory: name a file in it$/,
  ],
  [
    "a folder in which nobody may write",
    // Not even root may make a file there.
    async () => "/proc/self/pid",
    /^pid file \/proc\/self\/pid: this user may not write into \/proc\/self: give it the right, or change/,
  ],
];
for (const [what, make, words] of unfit) {
  test(`a pid file is refused, and none is made: ${what}`, async (t) => {
    const folder = await folderOf(t);
    const path = await make(folder);
    await assert.rejects(preparePidFile(path), { name: "Error", message: words });
  });
}
