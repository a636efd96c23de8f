// The reader's server and its client, talking over a real UNIX socket.
import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createConnection, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { createForwardClient } from "./forward-client.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";
import { READER_LIMITS, type ReaderLimits, startReaderServer } from "./reader-server.ts";

async function socketPath(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "socket");
}

/** Targets that name the user, unless `read` says otherwise. */
async function startServer(
  t: TestContext,
  path: string,
  read: ForwardReader["read"] = async (user) => targets(user),
  limits: Partial<ReaderLimits> = {},
) {
  const errors: unknown[] = [];
  const server = await startReaderServer({
    place: { path },
    reader: { read },
    limits: { ...READER_LIMITS, ...limits },
    onError: (error) => errors.push(error),
  });
  t.after(() => server.close());
  return { close: () => server.close(), errors };
}

function startClient(t: TestContext, path: string, timeLimitMs = 2_000) {
  const client = createForwardClient(path, { timeLimitMs });
  t.after(() => client.close());
  return client;
}

function targets(user: string): ForwardAnswer {
  return { kind: "targets", targets: [{ kind: "local-copy", name: user }] };
}

/** Everything the server says until it ends the connection. */
async function talk(path: string, say: (socket: Socket) => void): Promise<string> {
  const socket = createConnection(path);
  let heard = "";
  socket.on("data", (chunk) => (heard += chunk));
  socket.on("error", () => {});
  say(socket);
  await new Promise((resolve) => socket.on("close", resolve));
  return heard;
}

const answers: ForwardAnswer[] = [
  { kind: "no-user" },
  { kind: "none" },
  { kind: "targets", targets: [] },
  {
    kind: "targets",
    targets: [
      { kind: "mailbox", mailbox: { localPart: 'a "b', domain: "x.test" } },
      { kind: "name", name: "jörg" },
      { kind: "local-copy", name: "a" },
      { kind: "local-copy", name: "a", domain: "x.test" },
    ],
  },
  {
    kind: "targets",
    targets: [{ kind: "name", name: "bob", place: { file: "~/a list", line: 3, column: 4 } }],
  },
  {
    kind: "targets",
    // The largest that there is.
    targets: Array.from({ length: 1_000 }, () => ({
      kind: "mailbox",
      mailbox: { localPart: '"'.repeat(64), domain: `${"d".repeat(63)}.`.repeat(3).concat("d".repeat(61)) },
      place: { file: `~/${"\u{10400}".repeat(60)}`, line: 65_536, column: 65_536 },
    })),
  },
  { kind: "unsafe", path: "~/.forward", why: "writable" },
  { kind: "unparsable", problems: [{ file: "~/.forward", line: 1, column: 2, message: "wrong" }] },
  { kind: "unavailable", cause: "~/.forward: EIO open" },
];
for (const answer of answers) {
  test(`an answer comes over the socket as it was: ${JSON.stringify(answer).slice(0, 60)}`, async (t) => {
    const path = await socketPath(t);
    await startServer(t, path, async () => answer);
    assert.deepEqual(await startClient(t, path).read("alice"), answer);
  });
}

test("a thousand questions are answered at once, and answers may overtake each other", async (t) => {
  const path = await socketPath(t);
  const waiting: (() => void)[] = [];
  const { errors } = await startServer(t, path, async (user) => {
    // Every third waits for its successor.
    if (Number(user) % 3 === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else waiting.pop()?.();
    return targets(user);
  });
  const client = startClient(t, path, 5_000);
  const users = Array.from({ length: 1_000 }, (_, n) => String(n + 1));
  const got = await Promise.all(users.map((user) => client.read(user)));
  assert.deepEqual(got, users.map(targets));
  assert.deepEqual(errors, []);
});

test("a user who is asked for twice at the same time is one question, and later another", async (t) => {
  const path = await socketPath(t);
  let questions = 0;
  await startServer(t, path, async (user) => {
    questions++;
    return targets(user);
  });
  const client = startClient(t, path);
  assert.deepEqual(await Promise.all([client.read("a"), client.read("a")]), [targets("a"), targets("a")]);
  assert.equal(questions, 1);
  assert.deepEqual(await client.read("a"), targets("a"));
  assert.equal(questions, 2);
});

test("a reader that is not there is unavailable, and is found when it comes back", async (t) => {
  const path = await socketPath(t);
  const client = startClient(t, path);
  const away = await client.read("alice");
  assert.ok(away.kind === "unavailable");
  assert.match(away.cause, /socket: ENOENT$/);
  for (let round = 0; round < 3; round++) {
    const server = await startServer(t, path);
    assert.deepEqual(await client.read("alice"), targets("alice"));
    await server.close();
  }
  assert.equal((await client.read("alice")).kind, "unavailable");
});

test("a question on a connection that the reader closes just then is asked again on a new one", async (t) => {
  const path = await socketPath(t);
  let connections = 0;
  // The first connection answers once, and ends at the second question.
  const server = createServer((socket) => {
    const first = ++connections === 1;
    let questions = 0;
    socket.on("data", () => {
      if (first && ++questions === 2) socket.destroy();
      else socket.write('{"user":"alice","kind":"none"}\n');
    });
  }).listen(path);
  t.after(() => server.close());
  await once(server, "listening");
  const client = startClient(t, path);
  assert.deepEqual(await client.read("alice"), { kind: "none" });
  assert.deepEqual(await client.read("alice"), { kind: "none" });
  assert.equal(connections, 2);
  client.close();
});

const strange: [what: string, says: string | undefined, cause: RegExp][] = [
  ["nothing", undefined, /no answer within 0\.3 s$/],
  ["no JSON", "hello\n", /is it the same version/],
  ["another kind", '{"user":"alice","kind":"maybe"}\n', /is it the same version/],
  [
    "a target that is no address",
    '{"user":"alice","kind":"targets","targets":[{"kind":"mailbox","mailbox":{"localPart":"","domain":"x"}}]}\n',
    /is it the same version/,
  ],
  ["targets that are no list", '{"user":"alice","kind":"targets","targets":{}}\n', /is it the same version/],
  ["an answer about another user", '{"user":"bob","kind":"none"}\n', /no answer within 0\.3 s$/],
  ["a line without an end", "x".repeat(2 * 1024 * 1024), /is it the same version/],
];
for (const [what, says, cause] of strange) {
  test(`a reader that says ${what} is unavailable`, async (t) => {
    const path = await socketPath(t);
    const server = createServer((socket) => {
      socket.on("error", () => {});
      if (says !== undefined) socket.write(says);
    }).listen(path);
    t.after(() => server.close());
    await once(server, "listening");
    const client = startClient(t, path, 300);
    const answer = await client.read("alice");
    assert.ok(answer.kind === "unavailable", JSON.stringify(answer));
    assert.match(answer.cause, cause);
    client.close();
  });
}

test("a name that is no user name is answered without the reader", async (t) => {
  const client = startClient(t, await socketPath(t));
  assert.deepEqual(await client.read("../bob"), { kind: "no-user" });
});

test("a closed client leaves nobody waiting", async (t) => {
  const path = await socketPath(t);
  await startServer(t, path, () => new Promise(() => {}));
  const client = startClient(t, path);
  const asked = client.read("alice");
  client.close();
  assert.equal((await asked).kind, "unavailable");
  assert.equal((await client.read("alice")).kind, "unavailable");
});

test("a reader that throws says unavailable, and goes on", async (t) => {
  const path = await socketPath(t);
  const { errors } = await startServer(t, path, async (user) => {
    if (user === "bad") throw new TypeError("bug");
    return targets(user);
  });
  const client = startClient(t, path);
  assert.equal((await client.read("bad")).kind, "unavailable");
  assert.deepEqual(await client.read("alice"), targets("alice"));
  assert.equal(errors.length, 1);
});

const hostile: [what: string, says: string][] = [
  ["no JSON", "GET / HTTP/1.1\r\n\r\n"],
  ["an empty line", "\n"],
  ["an array", "[]\n"],
  ["null", "null\n"],
  ["a user that is no text", '{"user":{"a":1}}\n'],
  ["a line over 1 KiB", `{"user":"${"a".repeat(2_000)}"}\n`],
  ["a line without an end", "a".repeat(100_000)],
  ["octets that are no UTF-8", "\xff\xfe\0\n"],
];
for (const [what, says] of hostile) {
  test(`a client that says ${what} is cut off without an answer, and others are served`, async (t) => {
    const path = await socketPath(t);
    const { errors } = await startServer(t, path);
    const heard = await talk(path, (socket) => socket.write(Buffer.from(says, "latin1")));
    assert.equal(heard, "");
    assert.deepEqual(await startClient(t, path).read("alice"), targets("alice"));
    assert.deepEqual(errors, []);
  });
}

test("a client that has said all gets its answers, then the end", async (t) => {
  const path = await socketPath(t);
  await startServer(t, path);
  const heard = await talk(path, (socket) => socket.end('{"user":"alice"}\n'));
  assert.deepEqual(JSON.parse(heard), { user: "alice", ...targets("alice") });
});

test("a client that is silent, or dribbles a line, is cut off", async (t) => {
  const path = await socketPath(t);
  await startServer(t, path, undefined, { idleMs: 200 });
  assert.equal(await talk(path, () => {}), "");
  const dribbled = talk(path, (socket) => {
    const timer = setInterval(() => socket.write("a"), 20);
    socket.on("close", () => clearInterval(timer));
  });
  assert.equal(await dribbled, "");
});

test("clients over the limit are closed at once, and one that ends makes room", async (t) => {
  const path = await socketPath(t);
  await startServer(t, path, undefined, { clients: 2 });
  const held = [createConnection(path), createConnection(path)];
  t.after(() => {
    for (const socket of held) socket.destroy();
  });
  for (const socket of held) {
    socket.write('{"user":"a"}\n');
    await once(socket, "data");
  }
  assert.equal(await talk(path, (socket) => socket.write('{"user":"a"}\n')), "");
  held[0]?.destroy();
  const client = startClient(t, path);
  let answer = await client.read("alice");
  while (answer.kind === "unavailable") answer = await client.read("alice");
  assert.deepEqual(answer, targets("alice"));
});

test("of a client that asks without end, only so many questions are taken at a time", async (t) => {
  const path = await socketPath(t);
  let running = 0;
  let most = 0;
  const release = Promise.withResolvers<void>();
  await startServer(
    t,
    path,
    async (user) => {
      most = Math.max(most, ++running);
      if (running === 4) setImmediate(release.resolve);
      await release.promise;
      running--;
      return targets(user);
    },
    { requests: 4 },
  );
  const heard = await talk(path, (socket) => socket.end('{"user":"a"}\n'.repeat(1_000)));
  assert.equal(heard.split("\n").length, 1_001);
  assert.equal(most, 4);
});

test("a client that never takes its answers is not read from any more, and cut off", {
  timeout: 10_000,
}, async (t) => {
  const path = await socketPath(t);
  const large: ForwardAnswer = {
    kind: "targets",
    targets: Array.from({ length: 1_000 }, () => ({ kind: "name", name: "x".repeat(200) })),
  };
  let asked = 0;
  await startServer(
    t,
    path,
    async () => {
      asked++;
      return large;
    },
    { idleMs: 300 },
  );
  const socket = createConnection(path);
  socket.on("error", () => {});
  socket.pause();
  socket.write('{"user":"a"}\n'.repeat(20_000));
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => socket.write('{"user":"a"}\n'), 20);
    socket.on("close", () => {
      clearInterval(timer);
      resolve();
    });
  });
  assert.ok(asked < 100, `${asked} answers were made`);
});

test("a place that is taken is an error at the start", async (t) => {
  const path = await socketPath(t);
  await startServer(t, path);
  await assert.rejects(startServer(t, path), { code: "EADDRINUSE" });
});
