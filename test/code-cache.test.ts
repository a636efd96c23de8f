// Compiled code is kept from one start to the next, in a folder that is ours alone, and nowhere else.
import assert from "node:assert/strict";
import { chmod, chown, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { homing, plainEnvironment } from "./harness/homing.ts";

const ROOT = process.getuid?.() === 0;

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-code-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function runs(env: Record<string, string>): Promise<void> {
  const {
    HOME: _,
    XDG_CACHE_HOME: __,
    CACHE_DIRECTORY: ___,
    NODE_COMPILE_CACHE: ____,
    ...plain
  } = plainEnvironment();
  const { code, stdout, stderr } = await homing(["--version"], { env: { ...plain, ...env } });
  assert.deepEqual([code, stderr], [0, ""]);
  assert.match(stdout.toString(), /^\d/);
}

async function filesIn(folder: string): Promise<number> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return all.filter((entry) => entry.isFile()).length;
}

test("in the user's cache folder, for nobody else to read or write", async (t) => {
  const home = await newFolder(t);
  await runs({ HOME: home });
  const folder = join(home, ".cache/homing/code");
  assert.equal((await stat(folder)).mode & 0o777, 0o700);
  const kept = await filesIn(folder);
  assert.ok(kept > 10, `${kept} files`);
  await runs({ HOME: home });
  assert.equal(await filesIn(folder), kept);
});

test("in XDG_CACHE_HOME, and before both in the service manager's folder", async (t) => {
  const [home, xdg, ofService] = [await newFolder(t), await newFolder(t), await newFolder(t)];
  await runs({ HOME: home, XDG_CACHE_HOME: xdg });
  assert.ok((await filesIn(join(xdg, "homing/code"))) > 10);
  await runs({ HOME: home, XDG_CACHE_HOME: xdg, CACHE_DIRECTORY: `${ofService}:/nowhere` });
  assert.ok((await filesIn(join(ofService, "homing/code"))) > 10);
  assert.equal(await filesIn(home), 0);
});

test("an XDG_CACHE_HOME that is missing is made, for nobody else", async (t) => {
  const home = await newFolder(t);
  const xdg = join(home, "of/mine");
  await runs({ HOME: home, XDG_CACHE_HOME: xdg });
  assert.ok((await filesIn(join(xdg, "homing/code"))) > 10);
  assert.equal((await stat(xdg)).mode & 0o777, 0o700);
});

test("not in a folder that others can write to", async (t) => {
  const home = await newFolder(t);
  await chmod(home, 0o770);
  await runs({ HOME: home });
  assert.deepEqual(await readdir(home), []);
});

for (const [what, opened, mode] of [
  ["that others can list", ".cache/homing/code", 0o755],
  ["that others can write to", ".cache/homing/code", 0o777],
  ["below one that others can write to", ".cache", 0o777],
  ["below one that its group can write to", ".cache/homing", 0o770],
] as const) {
  test(`not in a cache folder ${what}`, async (t) => {
    const home = await newFolder(t);
    await mkdir(join(home, ".cache/homing/code"), { recursive: true, mode: 0o700 });
    await chmod(join(home, opened), mode);
    await runs({ HOME: home });
    assert.equal(await filesIn(home), 0);
  });
}

test("not behind a link, whoever made it", async (t) => {
  const [home, elsewhere] = [await newFolder(t), await newFolder(t)];
  await symlink(elsewhere, join(home, ".cache"));
  await runs({ HOME: home });
  assert.deepEqual(await readdir(elsewhere), []);
});

test("not where others could put another folder in its place", async (t) => {
  const above = await newFolder(t);
  const home = join(above, "home");
  await mkdir(home, { mode: 0o700 });
  await chmod(above, 0o777);
  await runs({ HOME: home });
  assert.deepEqual(await readdir(home), []);
});

test("the service manager's folder may be a link, as with DynamicUser", async (t) => {
  const [folder, real] = [await newFolder(t), await newFolder(t)];
  await symlink(real, join(folder, "link"));
  await runs({ CACHE_DIRECTORY: join(folder, "link") });
  assert.ok((await filesIn(join(real, "homing/code"))) > 10);
});

test("not in the home of another, as with sudo", { skip: !ROOT && "needs root" }, async (t) => {
  const home = await newFolder(t);
  await chown(home, 65534, 65534);
  await runs({ HOME: home });
  await runs({ HOME: "/nonexistent", XDG_CACHE_HOME: join(home, ".cache") });
  assert.deepEqual(await readdir(home), []);
});

test("a home that is no folder, or none at all, is no error", async (t) => {
  const file = join(await newFolder(t), "file");
  await writeFile(file, "");
  await runs({ HOME: file });
  await runs({ HOME: "/nonexistent" });
  await runs({ HOME: "relative" });
  await runs({});
});

test("Node's own settings hold", async (t) => {
  const [home, own] = [await newFolder(t), await newFolder(t)];
  await runs({ HOME: home, NODE_COMPILE_CACHE: own });
  assert.ok((await filesIn(own)) > 10);
  await runs({ HOME: home, NODE_V8_COVERAGE: join(own, "coverage") });
  await runs({ HOME: home, NODE_DISABLE_COMPILE_CACHE: "1" });
  assert.equal(await filesIn(home), 0);
});
