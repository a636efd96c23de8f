import assert from "node:assert/strict";
import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { watchFiles } from "./watch-files.ts";

/** Longer than the quiet time of the watch, by far. */
const NOTICED_MS = 1_000;

async function scene(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const failures: string[] = [];
  let changes = 0;
  const watching = watchFiles(
    () => changes++,
    (at) => failures.push(at.slice(folder.length)),
  );
  t.after(async () => {
    watching.close();
    await rm(folder, { recursive: true, force: true });
  });
  const path = join(folder, "aliases");
  await writeFile(path, "old");
  return {
    folder,
    path,
    watching,
    failures,
    /** How many changes are told of for what is done. */
    async changes(act: () => Promise<unknown>): Promise<number> {
      changes = 0;
      await act();
      await delay(NOTICED_MS);
      return changes;
    },
  };
}

test("what is done to a file is told of, once for several steps; what is done beside it is not", async (t) => {
  const { folder, path, watching, changes, failures } = await scene(t);
  watching.files([path]);
  const write = () => writeFile(path, "new");
  const replace = async () => {
    await writeFile(`${path}.new`, "newer");
    await rename(`${path}.new`, path);
  };
  assert.equal(await changes(write), 1);
  assert.equal(await changes(replace), 1);
  assert.equal(await changes(() => rm(path)), 1);
  assert.equal(await changes(() => writeFile(path, "again")), 1);
  assert.equal(await changes(async () => [await write(), await rm(path), await replace()]), 1);
  assert.equal(await changes(() => writeFile(join(folder, "other"), "x")), 0);
  assert.deepEqual(failures, []);
});

test("other files are watched in place of the first", async (t) => {
  const { folder, path, watching, changes } = await scene(t);
  const other = join(folder, "other");
  watching.files([path]);
  watching.files([other]);
  assert.equal(await changes(() => writeFile(path, "new")), 0);
  assert.equal(await changes(() => writeFile(other, "new")), 1);
});

test("a folder that took the place of the watched one is watched when it is said again", async (t) => {
  const { folder, watching, changes } = await scene(t);
  const path = join(folder, "etc/aliases");
  for (const name of ["etc", "next"]) await mkdir(join(folder, name));
  watching.files([path]);
  await rename(join(folder, "etc"), join(folder, "before"));
  await rename(join(folder, "next"), join(folder, "etc"));
  watching.files([path]);
  assert.equal(await changes(() => writeFile(path, "new")), 1);
  assert.equal(await changes(() => writeFile(join(folder, "before/aliases"), "new")), 0);
});

test("a folder that cannot be watched is told of once, and anew after it could be", async (t) => {
  const { folder, watching, failures } = await scene(t);
  const path = join(folder, "lists/list");
  for (let time = 0; time < 3; time++) watching.files([path]);
  assert.deepEqual(failures, ["/lists"]);
  await mkdir(join(folder, "lists"));
  watching.files([path]);
  await rm(join(folder, "lists"), { recursive: true });
  watching.files([path]);
  assert.deepEqual(failures, ["/lists", "/lists"]);
});

test("after the end no change is told of, not even one from shortly before", async (t) => {
  const { path, watching, changes } = await scene(t);
  watching.files([path]);
  await writeFile(path, "new");
  await delay(100);
  assert.equal(await changes(async () => watching.close()), 0);
  assert.equal(await changes(() => writeFile(path, "newer")), 0);
});
