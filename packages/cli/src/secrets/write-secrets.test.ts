import assert from "node:assert/strict";
import { chmod, lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createSecretsFile, replaceSecretsFile } from "./write-secrets.ts";

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

test("a new file has mode 600, and a name that is taken is left alone", async (t) => {
  const path = join(await folder(t), "secrets");
  await createSecretsFile(path, "one\n");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await assert.rejects(createSecretsFile(path, "two\n"), {
    reason: "config",
    message: `${path} is there already, and stays as it is: put a new secret on top with: homing secrets rotate ${path}`,
  });
  assert.equal(await readFile(path, "utf8"), "one\n");
  await assert.rejects(createSecretsFile(join(path, "..", "none", "secrets"), "x"), {
    message: /there is no such folder$/,
  });
});

test("a file is replaced whole: mode kept, a link followed, nothing left beside it", async (t) => {
  const place = await folder(t);
  const path = join(place, "secrets");
  await writeFile(path, "old\n");
  await chmod(path, 0o640);
  await symlink(path, join(place, "link"));
  await replaceSecretsFile(join(place, "link"), (old) => `new\n${old.text}`);
  assert.equal(await readFile(path, "utf8"), "new\nold\n");
  assert.equal((await stat(path)).mode & 0o777, 0o640);
  assert.ok((await lstat(join(place, "link"))).isSymbolicLink());
  assert.deepEqual((await readdir(place)).sort(), ["link", "secrets"]);
});

test("the owner stays", { skip: process.getuid?.() !== 0 && "only root gives files away" }, async (t) => {
  const path = join(await folder(t), "secrets");
  await writeFile(path, "old\n", { mode: 0o600 });
  const { chown } = await import("node:fs/promises");
  await chown(path, 65_534, 65_534);
  await replaceSecretsFile(path, () => "new\n");
  const { uid, gid } = await stat(path);
  assert.deepEqual([uid, gid], [65_534, 65_534]);
});

test("what fails leaves the old file and nothing else", async (t) => {
  const place = await folder(t);
  const path = join(place, "secrets");
  await writeFile(path, "old\n", { mode: 0o644 });
  await assert.rejects(
    replaceSecretsFile(path, () => "new\n"),
    { reason: "config", message: /chmod 600/ },
  );
  await chmod(path, 0o600);
  const broken = (): string => {
    throw new Error("broken");
  };
  await assert.rejects(replaceSecretsFile(path, broken), { message: /broken/ });
  assert.equal(await readFile(path, "utf8"), "old\n");
  assert.deepEqual(await readdir(place), ["secrets"]);
});

test("a file that is not UTF-8 is not rotated: its octets stay as they are", async (t) => {
  const place = await folder(t);
  const path = join(place, "secrets");
  for (const octets of [
    [0xe9, 0xe8, 0xe7],
    [0x61, 0x0a, 0x23, 0xff],
  ]) {
    await writeFile(path, Buffer.from(octets), { mode: 0o600 });
    await assert.rejects(
      replaceSecretsFile(path, (old) => `new\n${old.text}`),
      { reason: "config", message: /not UTF-8/ },
    );
    assert.deepEqual([...(await readFile(path))], octets);
    assert.deepEqual(await readdir(place), ["secrets"]);
  }
});

test("a byte order mark stays where it was", async (t) => {
  const path = join(await folder(t), "secrets");
  await writeFile(path, "\ufeff# comment\nold\n", { mode: 0o600 });
  await replaceSecretsFile(path, (old) => `${old.text}more\n`);
  assert.equal(await readFile(path, "utf8"), "\ufeff# comment\nold\nmore\n");
});

test("of two rotations at the same time the second is told to wait", async (t) => {
  const path = join(await folder(t), "secrets");
  await writeFile(path, "old\n", { mode: 0o600 });
  await writeFile(`${path}.new`, "");
  await assert.rejects(
    replaceSecretsFile(path, () => "new\n"),
    { reason: "temporary", message: /another rotation is running, or one was interrupted/ },
  );
  assert.equal(await readFile(path, "utf8"), "old\n");
});
