// The unit files of the .forward reader, judged by systemd itself.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import { run } from "./harness/command.ts";

const ANALYZE = "/usr/bin/systemd-analyze";
const UNITS = ["homing-dotforward.service", "homing-dotforward.socket"] as const;
const skip = !existsSync(ANALYZE) && "systemd-analyze is missing on this machine";
if (skip && process.env.HOMING_STORIES === "required")
  throw new Error(`HOMING_STORIES=required, but ${skip}`);

const folder = await mkdtemp(join(tmpdir(), "homing-"));
test.after(() => rm(folder, { recursive: true, force: true }));
const paths: string[] = [];
for (const unit of UNITS) {
  const text = await readFile(resolve(import.meta.dirname, "../deploy/systemd", unit), "utf8");
  // Nothing is installed here: node itself stands for the one below /opt.
  const path = join(folder, unit);
  await writeFile(path, text.replace(/^ExecStart=\S+/m, `ExecStart=${process.execPath}`));
  paths.push(path);
}

test("systemd has nothing to say against the reader's units", { skip }, async () => {
  const { code, stdout, stderr } = await run([ANALYZE, "verify", "--man=no", ...paths]);
  assert.equal(String(stdout) + stderr, "");
  assert.equal(code, 0);
});

test("the reader's exposure is at most 1.0, by systemd's count", { skip }, async () => {
  // The threshold is in tenths.
  const argv = [ANALYZE, "security", "--offline=true", "--threshold=10", "--no-pager", paths[0] ?? ""];
  const { code, stdout } = await run(argv);
  assert.match(String(stdout), /Overall exposure level for homing-dotforward\.service: \d\.\d/);
  assert.equal(code, 0, String(stdout));
});

test("the README puts the forwarder into the socket's group, and names the socket's path", async () => {
  const socket = await readFile(paths[1] ?? "", "utf8");
  const [, group = assert.fail()] = /^SocketGroup=(\S+)$/m.exec(socket) ?? [];
  const [, path = assert.fail()] = /^ListenStream=(\S+)$/m.exec(socket) ?? [];
  const readme = await readFile(resolve(import.meta.dirname, "../deploy/systemd/README.md"), "utf8");
  for (const command of [
    `groupadd --system ${group}\n`,
    `\\nSupplementaryGroups=${group}\\n' >`,
    `dotForward: { socket: ${path} }`,
    ...UNITS.map((unit) => `deploy/systemd/${unit} `),
  ])
    assert.ok(readme.includes(command), command);
});

test("the reader holds one capability, has no network, and cannot open files by inode number", async () => {
  const unit = await readFile(paths[0] ?? "", "utf8");
  for (const line of [
    "CapabilityBoundingSet=CAP_DAC_READ_SEARCH",
    "AmbientCapabilities=CAP_DAC_READ_SEARCH",
    "DynamicUser=yes",
    "ProtectHome=read-only",
    "PrivateNetwork=yes",
    "RestrictAddressFamilies=AF_UNIX",
  ])
    assert.ok(unit.split("\n").includes(line), line);
  assert.match(unit, /^SystemCallFilter=~.*\bopen_by_handle_at\b/m);
});
