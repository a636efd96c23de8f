import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { readPrivateLines } from "./private-lines.ts";

const STRONG = "k".repeat(22);

async function path(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return join(folder, "secrets");
}

async function read(t: TestContext, text: string | Buffer, mode = 0o600) {
  const file = await path(t);
  await writeFile(file, text);
  // Not with writeFile: there the umask has a say.
  await chmod(file, mode);
  return readPrivateLines(file, "secretsFile");
}

test("secrets stand one on a line, newest first, among comments and empty lines", async (t) => {
  const text = `# new\r\n  ${STRONG}1 \n\n#old\n${STRONG} two # words\n`;
  assert.deepEqual(await read(t, text), { ok: true, lines: [`${STRONG}1`, `${STRONG} two # words`] });
});

for (const mode of [0o600, 0o400, 0o640]) {
  test(`mode ${mode.toString(8)} is accepted`, async (t) => {
    assert.ok((await read(t, STRONG, mode)).ok);
  });
}

for (const [what, text, mode, why] of [
  ["others can read", STRONG, 0o644, /has mode 0644/],
  ["the group can write", STRONG, 0o660, /has mode 0660/],
  ["is empty", "# nothing\n", 0o600, /holds no secret/],
  ["has a short secret", `${STRONG}\nshort\n`, 0o600, /:2 has fewer than 22 characters/],
  ["has a control character", `${STRONG}\u0001`, 0o600, /:1 holds a character that is no text/],
  ["is Latin-1", Buffer.from(`${STRONG}é`, "latin1"), 0o600, /is not UTF-8/],
  ["is huge", `${STRONG}\n`.repeat(5000), 0o600, /is larger than 64 KiB/],
] as const) {
  test(`a file that ${what} is refused, and the secret is not told`, async (t) => {
    const lines = await read(t, text, mode);
    assert.ok(!lines.ok);
    assert.equal(lines.problem.code, "secrets-unreadable");
    assert.match(lines.problem.detail, why);
    assert.equal(lines.problem.detail.includes(STRONG), false);
    assert.ok(lines.problem.hint);
  });
}

test("what is no file is refused, and nobody waits for it", async (t) => {
  const file = await path(t);
  assert.match(await fault(file), /cannot be opened/);
  await mkdir(file);
  assert.match(await fault(file), /is not a regular file/);
  execFileSync("mkfifo", ["-m", "600", `${file}.pipe`]);
  assert.match(await fault(`${file}.pipe`), /is not a regular file/);
});

async function fault(file: string): Promise<string> {
  const lines = await readPrivateLines(file, "secretsFile");
  return lines.ok ? "" : lines.problem.detail;
}
