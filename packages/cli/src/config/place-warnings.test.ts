import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { placeWarnings, stateWarnings } from "./place-warnings.ts";

async function newFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

function maildirs(pattern: string): Parameters<typeof placeWarnings>[0] {
  return { localDelivery: { store: { kind: "maildir", pattern }, unknownUsers: "refuse" } };
}

test("a folder of maildirs that is not there is a warning, and so is a file in its place", async (t) => {
  const folder = await newFolder(t);
  const warning = `warning: localDelivery.store: there is no folder ${folder}/mail: make it, owned by the service's user`;
  for (const pattern of [`${folder}/mail/{domain}/{user}`, `${folder}/mail/u-{user}/x`]) {
    assert.deepEqual(await placeWarnings(maildirs(pattern)), [warning]);
  }
  await writeFile(`${folder}/mail`, "");
  assert.deepEqual(await placeWarnings(maildirs(`${folder}/mail/{user}`)), [warning]);
  await rm(`${folder}/mail`);
  await mkdir(`${folder}/mail`);
  assert.deepEqual(await placeWarnings(maildirs(`${folder}/mail/{user}`)), []);
});

test("a socket of the .forward reader that is not there is a warning", async (t) => {
  const socket = join(await newFolder(t), "s");
  const dotForward = { socket, wrongFile: "refuse" } as const;
  assert.deepEqual(await placeWarnings({ dotForward }), [
    `warning: dotForward.socket: there is no socket ${socket}: start homing dotforward`,
  ]);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  t.after(() => server.close());
  assert.deepEqual(await placeWarnings({ dotForward }), []);
});

test("other stores have no place to look at", async () => {
  const store = { kind: "lmtp", server: { path: "/no/such/socket" } } as const;
  assert.deepEqual(await placeWarnings({ localDelivery: { store, unknownUsers: "refuse" } }), []);
});

test("a state directory that is not there yet is told, and so is one in memory", async (t) => {
  const folder = await newFolder(t);
  assert.deepEqual(await stateWarnings(undefined), []);
  assert.deepEqual(await stateWarnings(`${folder}/state`), [
    `warning: stateDirectory: there is no folder ${folder}/state: the service makes it where it may`,
  ]);
  assert.deepEqual(await stateWarnings("/dev/shm"), [
    "warning: stateDirectory: /dev/shm is in memory (tmpfs): what is there is lost with the power: choose a disk",
  ]);
});
