import assert from "node:assert/strict";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { listenFailure, obstacleAt } from "./failure.ts";

const REMEDY = "change adapters.policy.listen in homing.yaml";

function failed(code: string, syscall = "listen"): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

async function folder(t: { after(done: () => unknown): void }): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

test("a folder that is not there is told as what it is: Node says EACCES", async (t) => {
  const missing = join(await folder(t), "none");
  const { reason, message } = listenFailure(failed("EACCES"), `unix:${missing}/policy`, REMEDY);
  assert.equal(message, `unix:${missing}/policy: the folder ${missing} is not there: make it, or ${REMEDY}`);
  assert.equal(reason, "config");
});

test("a file in the way of a socket is no other program", async (t) => {
  const file = join(await folder(t), "policy");
  await writeFile(file, "");
  const { reason, message } = listenFailure(failed("EADDRINUSE"), `unix:${file}`, REMEDY);
  assert.equal(message, `unix:${file}: ${file} is there, and is no socket: remove it, or ${REMEDY}`);
  assert.equal(reason, "config");
  assert.match(obstacleAt(join(file, "policy")) ?? "", /policy is no folder: put a folder there$/);
});

test("a folder in the place of a socket, and a link to nowhere in the place of its folder, are told", async (t) => {
  const made = await folder(t);
  await symlink(join(made, "nowhere"), join(made, "link"));
  assert.match(obstacleAt(made) ?? "", /is a folder: name a file in it$/);
  assert.match(obstacleAt(join(made, "link/policy")) ?? "", /the folder .*\/link is not there: make it$/);
});

test("a socket that somebody listens on is taken, and is no obstacle otherwise", async (t) => {
  const path = join(await folder(t), "policy");
  const server = createServer().listen(path);
  await new Promise((resolve) => server.once("listening", resolve));
  t.after(() => server.close());
  assert.equal(obstacleAt(path), undefined);
  const { reason, message } = listenFailure(failed("EADDRINUSE"), `unix:${path}`, REMEDY);
  assert.equal(message, `unix:${path} is taken by another program: stop it, or ${REMEDY}`);
  assert.equal(reason, "unavailable");
});

for (const [code, reason] of [
  ["EPERM", "permission"],
  ["EINVAL", "config"],
] as const) {
  test(`${code} of chown is about the owner, and not about the place`, () => {
    const failure = listenFailure(failed(code, "chown"), "unix:/run/homing/policy", REMEDY);
    assert.match(
      failure.message,
      /^unix:\/run\/homing\/policy: the service may not give this socket its owner or group \(E[A-Z]+\): take owner and group out of .*chmod 2770 FOLDER$/,
    );
    assert.equal(failure.reason, reason);
  });
}

test("a TCP port is told as before", () => {
  assert.equal(
    listenFailure(failed("EACCES"), "0.0.0.0:25", "change listen").message,
    "0.0.0.0:25 is not allowed to this user: change listen",
  );
});
