// Where adapters listen, and how many may come: real sockets.
import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type TestContext, test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { heard, lineProtocol, listenForLines, rest } from "../testing/line-protocol.ts";
import { type AdapterPlace, listenAdapter } from "./listener.ts";

function pathOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "homing-wire-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "socket");
}

function unix(path: string, mode = 0o660): Extract<AdapterPlace, { path: string }> {
  return { path, mode, owner: undefined, group: undefined };
}

test("port 0 becomes the port that it listens on", async (t) => {
  const { listener, dial } = await listenForLines(t);
  assert.ok("port" in listener.place && listener.place.port > 0);
  const client = await dial();
  client.write("hello\n");
  assert.equal(await heard(client), "hello\n");
});

test("a taken port is a rejection that names it", async (t) => {
  const { listener } = await listenForLines(t);
  await assert.rejects(listenForLines(t, { place: listener.place }), /EADDRINUSE.*127\.0\.0\.1:\d+/);
});

for (const mode of [0o600, 0o660, 0o666]) {
  test(`a UNIX socket has mode ${mode.toString(8)}, and the mask of the process is what it was`, async (t) => {
    const before = process.umask();
    const path = pathOf(t);
    const { dial } = await listenForLines(t, { place: unix(path, mode) });
    assert.equal(statSync(path).mode & 0o777, mode);
    assert.equal(process.umask(), before);
    const client = await dial();
    client.write("hello\n");
    assert.equal(await heard(client), "hello\n");
  });
}

test("sockets that are made at the same time leave the mask as it was, and do not touch it meanwhile", async (t) => {
  const before = process.umask();
  const listening = [1, 2, 3].map(() => listenForLines(t, { place: unix(pathOf(t)) }));
  // After the look for a left-over socket, and while it is bound.
  for (let turn = 0; turn < 5; turn++) {
    await pause(1);
    assert.equal(process.umask(), before);
  }
  await Promise.all(listening);
  assert.equal(process.umask(), before);
});

test("a UNIX socket gets its owner and group", {
  skip: process.getuid?.() !== 0 && "needs root",
}, async (t) => {
  const path = pathOf(t);
  await listenForLines(t, { place: { ...unix(path), owner: 1, group: 2 } });
  const { uid, gid } = statSync(path);
  assert.deepEqual([uid, gid], [1, 2]);
});

test("a socket that a killed service left is replaced", async (t) => {
  const path = pathOf(t);
  await leaveSocket(path);
  assert.ok(statSync(path).isSocket());
  const { dial } = await listenForLines(t, { place: unix(path) });
  const client = await dial();
  client.write("hello\n");
  assert.equal(await heard(client), "hello\n");
});

/** Node removes the socket when it closes the server: it is renamed away meanwhile. */
async function leaveSocket(path: string): Promise<void> {
  const server = createServer().listen(`${path}.first`);
  await once(server, "listening");
  renameSync(`${path}.first`, path);
  await new Promise((resolve) => server.close(resolve));
}

test("a socket that somebody listens on stays his", async (t) => {
  const path = pathOf(t);
  const first = await listenForLines(t, { place: unix(path) });
  await assert.rejects(listenForLines(t, { place: unix(path) }), /EADDRINUSE/);
  const client = await first.dial();
  client.write("still here\n");
  assert.equal(await heard(client), "still here\n");
});

test("a file in the way that is no socket stays", async (t) => {
  const path = pathOf(t);
  writeFileSync(path, "precious");
  await assert.rejects(listenForLines(t, { place: unix(path) }), /EADDRINUSE/);
  assert.ok(statSync(path).isFile());
});

test("close() ends every connection, and removes the UNIX socket", async (t) => {
  const path = pathOf(t);
  const { listener, dial } = await listenForLines(t, { place: unix(path) });
  const clients = [await dial(), await dial()];
  for (const client of clients) {
    client.write("hello\n");
    await heard(client);
  }
  await listener.close();
  assert.deepEqual(await Promise.all(clients.map(rest)), ["", ""]);
  assert.equal(existsSync(path), false);
});

test("close() does not wait for an answer that never comes", async (t) => {
  const { listener, dial } = await listenForLines(t, { answer: () => new Promise(() => {}) });
  const client = await dial();
  client.write("hello\n");
  await new Promise((resolve) => client.once("drain", resolve).write("", resolve));
  await listener.close();
  assert.equal(await rest(client), "");
});

test("connections over the limit are closed, told once a minute, and the others are served", async (t) => {
  const { events, pass, dial } = await listenForLines(t, { maxConnections: 2 });
  const served = [await dial(), await dial()];
  for (const client of served) {
    client.write("hello\n");
    assert.equal(await heard(client), "hello\n");
  }
  const closed = async (): Promise<void> => assert.equal(await rest(await dial()), "");
  for (let more = 0; more < 5; more++) await closed();
  assert.deepEqual(events, [{ event: "adapter-busy", adapter: "socketmap", connections: 2 }]);
  pass(59_999);
  await closed();
  assert.equal(events.length, 1);
  pass(1);
  await closed();
  assert.equal(events.length, 2);
  const [first, second] = served;
  first?.write("again\n");
  assert.equal(first && (await heard(first)), "again\n");
  second?.destroy();
  await pause(20);
  const next = await dial();
  next.write("a free place\n");
  assert.equal(await heard(next), "a free place\n");
});

test("a mode that cannot be set is a rejection, and nobody listens", async (t) => {
  const path = pathOf(t);
  const place = { ...unix(path), owner: -5 };
  await assert.rejects(
    listenAdapter({
      ...{ adapter: "policy", place, protocol: lineProtocol(), maxConnections: 1 },
      ...{ report: () => {}, nowMs: () => 0 },
    }),
    /owner|uid|range/i,
  );
  assert.equal(existsSync(path), false);
});
