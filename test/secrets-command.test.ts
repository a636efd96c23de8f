// `homing secrets`: the life of a secrets file, and that bounces keep coming home through a rotation.
import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { homing, homingUnprivileged } from "./harness/homing.ts";

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function json(
  args: readonly string[],
): Promise<Record<string, unknown> & { readonly code: number | null }> {
  const { code, stdout, stderr } = await homing([...args, "--json"]);
  assert.equal(stderr, "");
  return { code, ...(JSON.parse(String(stdout)) as Record<string, unknown>) };
}

test("new, forge, rotate: the address of before still comes home, the new secret signs, check says when", async (t) => {
  const file = join(await folder(t), "secrets");
  assert.deepEqual(await json(["secrets", "new", file]), { code: 0, ok: true, file, line: 5 });
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.match(await readFile(file, "utf8"), /\n# made \d{4}-\d\d-\d\d\n[A-Za-z0-9+/]{32}\n$/);
  assert.equal((await homing(["secrets", "check", file])).code, 0);

  const forge = ["forge", "bob@origin.example", "--domain", "f.example", "--secrets", file];
  const before = String((await homing(forge)).stdout).trim();
  const rotated = await json(["secrets", "rotate", file, "--max-age-days", "7"]);
  const [old] = rotated.old as { line: number; state: string; mayGoFrom: string }[];
  assert.ok(old);
  assert.deepEqual([old.line, old.state], [8, "verifies"]);
  assert.equal(String((await homing(["reverse", before, "--secrets", file])).stdout), "bob@origin.example\n");
  assert.notEqual(String((await homing(forge)).stdout).trim(), before);

  const day = (days: number): string =>
    new Date(Date.parse(old.mayGoFrom) + days * 86_400_000).toISOString().slice(0, 10);
  const replaced = /replaced (\d{4}-\d\d-\d\d): may go from/.exec(await readFile(file, "utf8"))?.[1];
  assert.equal(replaced, day(-12), "7 days and 5 of a queue");
  assert.equal((await homing(["secrets", "check", file, "--at", day(-1)])).code, 0);
  const due = await homing(["secrets", "check", file, "--at", day(0)]);
  assert.equal(due.code, 1);
  assert.match(due.stderr, /^homing: .*secrets:8: this secret may go: .*: take this line out\n$/);
});

test("rotate and check are told in words, too, and never show a secret", async (t) => {
  const file = join(await folder(t), "secrets");
  await writeFile(file, "a secret of somebody's own making\n", { mode: 0o600 });
  const rotated = await homing(["secrets", "rotate", file]);
  assert.equal(rotated.code, 0);
  assert.match(
    String(rotated.stdout),
    /^.*: a new secret on line 2 signs from now on\n.*: the secret on line 5 still verifies, and may go from \d{4}-\d\d-\d\d\n$/,
  );
  assert.match(rotated.stderr, /^homing: restart homing serve, /);
  const again = await homing(["secrets", "rotate", file]);
  assert.match(again.stderr, /warning: .*: 3 secrets verify: each makes guessing a tag easier/);
  const checked = await homing(["secrets", "check", file]);
  assert.equal(checked.code, 1);
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    if (line === "" || line.startsWith("#")) continue;
    for (const { stdout, stderr } of [rotated, again, checked])
      assert.ok(!`${stdout}${stderr}`.includes(line));
  }
});

test("check refuses what homing serve refuses, and --weak-secret makes that a thing to look after", async (t) => {
  const file = join(await folder(t), "secrets");
  await writeFile(file, "tnx\n", { mode: 0o600 });
  const refused = await json(["secrets", "check", file]);
  assert.deepEqual([refused.code, refused.ok, refused.reason], [78, false, "config"]);
  const allowed = await json(["secrets", "check", file, "--weak-secret"]);
  assert.deepEqual([allowed.code, allowed.ok, allowed.reason], [1, false, "negative"]);
  await chmod(file, 0o644);
  const open = await homing(["secrets", "check", file]);
  assert.equal(open.code, 78);
  assert.match(open.stderr, /has mode 0644: others can read or change it: run chmod 600/);
});

test("a file that is not UTF-8 is told by its line, and rotate leaves every octet of it", async (t) => {
  const file = join(await folder(t), "secrets");
  const octets = Buffer.from([0x23, 0x0a, 0xe9, 0xe8, 0xe7, 0x0a]);
  await writeFile(file, octets, { mode: 0o600 });
  for (const command of ["rotate", "check"]) {
    const { code, stderr } = await homing(["secrets", command, file]);
    assert.equal(code, 78);
    assert.match(
      stderr,
      /^homing: secrets file .*secrets:2: this line is not UTF-8: .* openssl rand -base64 24\n$/,
    );
    assert.deepEqual(await readFile(file), octets);
  }
});

test("a name that is taken is not overwritten; a folder that does not exist is told", async (t) => {
  const place = await folder(t);
  const file = join(place, "secrets");
  await writeFile(file, "mine\n", { mode: 0o600 });
  const taken = await homing(["secrets", "new", file]);
  assert.equal(taken.code, 78);
  assert.match(taken.stderr, /^homing: .* is there already, and stays as it is: .*homing secrets rotate/);
  assert.equal(await readFile(file, "utf8"), "mine\n");
  const nowhere = await homing(["secrets", "new", join(place, "none", "secrets")]);
  assert.equal(nowhere.code, 78);
  assert.match(nowhere.stderr, /none: there is no such folder\n$/);
  const missing = await homing(["secrets", "rotate", join(place, "none")]);
  assert.equal(missing.code, 78);
  assert.match(missing.stderr, /there is no such file\n$/);
  await writeFile(`${file}.new`, "");
  assert.equal((await homing(["secrets", "rotate", file])).code, 75);
});

test("a folder that this user may not write is exit code 77", async (t) => {
  const place = await folder(t);
  const file = join(place, "secrets");
  await writeFile(file, `${"k".repeat(22)}\n`, { mode: 0o600 });
  await chmod(place, 0o500);
  for (const args of [
    ["rotate", file],
    ["new", join(place, "other")],
  ]) {
    const { code, stderr } = await homingUnprivileged(["secrets", ...args]);
    assert.equal(code, 77, stderr);
    assert.match(stderr, /: not allowed to this user: /);
  }
  await chmod(place, 0o700);
});

test("homing secrets alone, and what it does not know, are usage errors", async () => {
  for (const args of [["secrets"], ["secrets", "forget", "x"], ["secrets", "new"]]) {
    assert.equal((await homing(args)).code, 2, args.join(" "));
  }
});
