import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as z from "zod";
import { type Handlers, handler, NotNow } from "./control-handlers.ts";
import { CONTROL_LIMITS, type ControlLimits, startControl } from "./control-listener.ts";

interface Scene {
  readonly path: string;
  /** Bugs that were told. */
  readonly failures: readonly unknown[];
}

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-control-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function scene(t: TestContext, handlers: Handlers, limits?: Partial<ControlLimits>): Promise<Scene> {
  const path = join(await temporaryFolder(t), "control");
  const failures: unknown[] = [];
  const control = await startControl({
    path,
    handlers,
    limits: { ...CONTROL_LIMITS, ...limits },
    failed: (error) => failures.push(error),
  });
  assert.ok(control.kind === "listening");
  t.after(control.close);
  return { path, failures };
}

const count = handler(z.strictObject({ kind: z.string(), to: z.int().max(1e9) }), async function* ({ to }) {
  for (let at = 1; at <= to; at++) yield { at };
  return { to };
});
const HANDLERS: Handlers = new Map([
  ["count", count],
  ["add", handler(z.object({ a: z.int(), b: z.int() }), async ({ a, b }) => ({ sum: a + b }))],
  [
    "away",
    handler(z.object({}), async () => {
      throw new NotNow("the disk is away");
    }),
  ],
  [
    "bug",
    handler(z.object({}), async () => {
      throw new TypeError("a bug with private@home.example in it");
    }),
  ],
]);

/** Says this, and that no more comes; gives all answers. */
async function exchange(path: string, text: string): Promise<object[]> {
  const socket = createConnection(path);
  socket.end(text);
  let heard = "";
  for await (const chunk of socket) heard += chunk;
  assert.ok(heard === "" || heard.endsWith("\n"));
  return heard
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as object);
}

const line = (question: object): string => `${JSON.stringify(question)}\n`;

test("questions are answered one after the other, with items and an end", async (t) => {
  const { path, failures } = await scene(t, HANDLERS);
  const both = line({ kind: "count", to: 2 }) + line({ kind: "add", a: 1, b: 2 });
  assert.deepEqual(await exchange(path, both), [
    { kind: "item", value: { at: 1 } },
    { kind: "item", value: { at: 2 } },
    { kind: "end", value: { to: 2 } },
    { kind: "end", value: { sum: 3 } },
  ]);
  assert.deepEqual(failures, []);
});

const wrong: [what: string, text: string, message: RegExp][] = [
  ["no JSON", "hello\n", /^a question is a JSON object with a kind$/],
  ["a JSON value that is no object", "[1]\n", /^a question is a JSON object with a kind$/],
  ["an object without a kind", "{}\n", /^a question is a JSON object with a kind$/],
  ["a kind that there is not", line({ kind: "frobnicate" }), /^this service does not know the question/],
  ["the name of a property of all objects", line({ kind: "__proto__" }), /^this service does not know/],
  ["a value of another type", line({ kind: "add", a: "1", b: 2 }), /expected number/],
  ["a field too many", line({ kind: "count", to: 1, more: 1 }), /more/],
];
for (const [what, text, message] of wrong) {
  test(`${what} is no question, and the next one is answered`, async (t) => {
    const { path, failures } = await scene(t, HANDLERS);
    const [error, next] = await exchange(path, text + line({ kind: "add", a: 1, b: 1 }));
    const { kind, reason, message: said } = error as Record<string, string>;
    assert.deepEqual([kind, reason], ["error", "question"]);
    assert.match(said ?? "", message);
    assert.deepEqual(next, { kind: "end", value: { sum: 2 } });
    assert.deepEqual(failures, []);
  });
}

test("what cannot be had now is said in its own words, and a bug is told to the log alone", async (t) => {
  const { path, failures } = await scene(t, HANDLERS);
  assert.deepEqual(await exchange(path, line({ kind: "away" }) + line({ kind: "bug" })), [
    { kind: "error", reason: "unavailable", message: "the disk is away" },
    { kind: "error", reason: "software", message: "an error in the service: its log tells more" },
  ]);
  assert.deepEqual(
    failures.map((error) => error instanceof TypeError),
    [true],
  );
});

test("a line of 64 KiB is read, and one that is longer ends the connection", async (t) => {
  const { path } = await scene(t, HANDLERS);
  const question = JSON.stringify({ kind: "add", a: 1, b: 1 });
  assert.deepEqual(await exchange(path, `${question.padEnd(64 * 1024)}\n`), [
    { kind: "end", value: { sum: 2 } },
  ]);
  const socket = createConnection(path);
  // An endless line: whoever does not read it must not wait for its end.
  socket.write(`${question.padEnd(64 * 1024 + 1)}`);
  const [heard] = (await once(socket, "data")) as [Buffer];
  assert.match(String(heard), /"reason":"question","message":"a question has at most 65536 octets"/);
  await once(socket, "close");
});

test("the socket is this user's alone, and is gone at the end", async (t) => {
  const folder = await temporaryFolder(t);
  const path = join(folder, "control");
  const umask = process.umask();
  const control = await startControl({ path, handlers: HANDLERS, failed: assert.ifError });
  assert.ok(control.kind === "listening");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal(process.umask(), umask);
  await control.close();
  assert.deepEqual(await readdir(folder), []);
});

test("a socket that a killed service left is replaced, and no other file is", async (t) => {
  const path = join(await temporaryFolder(t), "control");
  const before = createServer();
  before.listen(path);
  await once(before, "listening");
  const control = await startControl({ path, handlers: HANDLERS, failed: assert.ifError });
  assert.ok(control.kind === "listening");
  assert.deepEqual(await exchange(path, line({ kind: "count", to: 0 })), [{ kind: "end", value: { to: 0 } }]);
  await control.close();
  before.close();
  await writeFile(path, "somebody's");
  const refused = await startControl({ path, handlers: HANDLERS, failed: assert.ifError });
  assert.ok(refused.kind === "failed");
  assert.match(refused.message, /\/control: something else has this name, move it away/);
});

test("a name that is too long for a socket is told with what to do", async (t) => {
  const path = join(await temporaryFolder(t), "x".repeat(120));
  const refused = await startControl({ path, handlers: HANDLERS, failed: assert.ifError });
  assert.ok(refused.kind === "failed");
  assert.match(refused.message, /octets, and the name of a UNIX socket has at most 107: choose a stateDir/);
});

test("a folder that is not there is told, and does not throw", async (t) => {
  const path = join(await temporaryFolder(t), "none", "control");
  const refused = await startControl({ path, handlers: HANDLERS, failed: assert.ifError });
  assert.ok(refused.kind === "failed");
  assert.match(refused.message, /ENOENT|EACCES/);
});

test("more clients than the limit are closed at once, and the others are answered", async (t) => {
  const { path } = await scene(t, HANDLERS, { clients: 2 });
  const first = await connected(path);
  const second = await connected(path);
  assert.deepEqual(await refusedAtOnce(path), []);
  first.destroy();
  second.write(line({ kind: "add", a: 2, b: 2 }));
  assert.match(String((await once(second, "data"))[0]), /"sum":4/);
  second.destroy();
});

async function connected(path: string): Promise<Socket> {
  const socket = createConnection(path);
  socket.on("error", () => {});
  await once(socket, "connect");
  // Its place is taken once it is answered.
  socket.write(line({ kind: "count", to: 0 }));
  await once(socket, "data");
  return socket;
}

async function refusedAtOnce(path: string): Promise<Buffer[]> {
  const socket = createConnection(path);
  const heard: Buffer[] = [];
  socket.on("data", (chunk: Buffer) => heard.push(chunk));
  socket.on("error", () => {});
  await once(socket, "close");
  return heard;
}

test("a client that says nothing, or takes nothing, is closed after the idle time", async (t) => {
  let ended = false;
  const endless = handler(z.object({}), async function* () {
    try {
      for (;;) yield { text: "x".repeat(10_000) };
    } finally {
      ended = true;
    }
  });
  const { path } = await scene(t, new Map([["endless", endless]]), { idleMs: 50 });
  const silent = createConnection(path);
  await once(silent, "connect");
  silent.resume();
  await once(silent, "close");
  const deaf = createConnection(path);
  deaf.on("error", () => {});
  deaf.pause();
  deaf.write(line({ kind: "endless" }));
  for (let tries = 0; tries < 400 && !ended; tries++) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(ended, true);
  deaf.destroy();
});

test("a client that waits for the service is not closed for that, with a list or without", async (t) => {
  const slowly = () => new Promise((resolve) => setTimeout(resolve, 300));
  const handlers: Handlers = new Map([
    ["slow", handler(z.object({}), () => slowly().then(() => ({ done: true })))],
    [
      "slow-list",
      handler(z.object({}), async function* () {
        await slowly();
        yield { at: 1 };
        await slowly();
        return {};
      }),
    ],
  ]);
  const { path } = await scene(t, handlers, { idleMs: 100 });
  assert.deepEqual(await exchange(path, line({ kind: "slow" })), [{ kind: "end", value: { done: true } }]);
  assert.deepEqual(await exchange(path, line({ kind: "slow-list" })), [
    { kind: "item", value: { at: 1 } },
    { kind: "end", value: {} },
  ]);
});

test("further questions of a client that has gone are dropped", async (t) => {
  const first = Promise.withResolvers<void>();
  const gone = Promise.withResolvers<void>();
  let asked = 0;
  const wait = handler(z.object({}), async () => {
    asked++;
    first.resolve();
    await gone.promise;
    return {};
  });
  const { path, failures } = await scene(t, new Map([["wait", wait]]));
  const socket = createConnection(path);
  socket.write(line({ kind: "wait" }).repeat(100));
  await first.promise;
  socket.destroy();
  await once(socket, "close");
  gone.resolve();
  // Questions of one chunk follow one another at once: a hundred turns are enough for all of them.
  for (let turn = 0; turn < 500; turn++) await new Promise(setImmediate);
  assert.equal(asked, 1);
  assert.deepEqual(failures, []);
});

test("a client that goes away in the middle of a list ends the list", async (t) => {
  const { promise: over, resolve } = Promise.withResolvers<number>();
  const list = handler(z.object({}), async function* () {
    let given = 0;
    try {
      for (; given < 1e6; given++) {
        yield { text: "x".repeat(1000) };
        await new Promise(setImmediate);
      }
      return {};
    } finally {
      resolve(given);
    }
  });
  const { path, failures } = await scene(t, new Map([["list", list]]));
  const socket = createConnection(path);
  socket.write(line({ kind: "list" }));
  await once(socket, "data");
  socket.destroy();
  assert.ok((await over) < 1e6);
  assert.deepEqual(failures, []);
});
