// A home hangs as a dead file server has it: the promise of a file operation never settles.
import assert from "node:assert/strict";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createBoundedReader, maxHomesOf } from "./bounded-reader.ts";
import { type FileAccess, systemFiles } from "./file-access.ts";
import { createForwardClient } from "./forward-client.ts";
import type { ForwardAnswer, ForwardReader } from "./forward-reader.ts";
import { createForwardReader } from "./read-forward.ts";
import { startReaderServer } from "./reader-server.ts";

const TOO_MANY = /^~: too many homes do not answer/;

function targets(name: string): ForwardAnswer {
  const place = { file: "~/.forward", line: 1, column: 1 };
  return { kind: "targets", targets: [{ kind: "name", name, place }] };
}

function causeOf(answer: ForwardAnswer): string {
  assert.ok(answer.kind === "unavailable", JSON.stringify(answer));
  return answer.cause;
}

/** Answers when it is told to. */
function slowReader() {
  const asked: string[] = [];
  const ends = new Map<string, (answer: ForwardAnswer) => void>();
  const reader: ForwardReader = {
    read(user) {
      asked.push(user);
      return new Promise((resolve) => ends.set(user, resolve));
    },
  };
  const end = (user: string): void => ends.get(user)?.(targets(user));
  return { reader, asked, end };
}

test("while a home hangs, others are read over the same connection, though a hundred ask for it", {
  timeout: 5_000,
}, async (t) => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "homing-")));
  t.after(() => rm(folder, { recursive: true, force: true }));
  for (const user of ["alice", "bob"]) {
    await mkdir(join(folder, user), { mode: 0o700 });
    await writeFile(join(folder, user, ".forward"), user, { mode: 0o600 });
  }
  const files: FileAccess = {
    ...systemFiles,
    hold: (path) => (path.includes("/alice") ? new Promise(() => {}) : systemFiles.hold(path)),
  };
  const findHome = async (user: string) => ({ kind: "home", home: { path: join(folder, user) } }) as const;
  const reader = createBoundedReader({
    reader: createForwardReader({ findHome, files, now: Date.now }),
    maxHomes: 3,
    timeLimitMs: 300,
  });
  const path = join(folder, "socket");
  const server = await startReaderServer({ place: { path }, reader, onError: assert.ifError });
  const client = createForwardClient(path);
  t.after(() => client.close());
  t.after(() => server.close());
  const hanging = Array.from({ length: 100 }, () => client.read("alice"));
  let told = false;
  hanging[0]?.finally(() => {
    told = true;
  });
  assert.deepEqual(await client.read("bob"), targets("bob"));
  assert.equal(told, false, "bob did not wait for alice's home");
  for (const answer of hanging) assert.equal(causeOf(await answer), "~: no answer within 0.3 s");
  assert.deepEqual(await client.read("bob"), targets("bob"));
});

test("a user's home is read once for all who ask meanwhile, and again for who asks later", async () => {
  const { reader, asked, end } = slowReader();
  const bounded = createBoundedReader({ reader, maxHomes: 3 });
  const both = [bounded.read("alice"), bounded.read("alice")];
  end("alice");
  assert.deepEqual(await Promise.all(both), [targets("alice"), targets("alice")]);
  assert.deepEqual(asked, ["alice"]);
  const later = bounded.read("alice");
  end("alice");
  assert.deepEqual(await later, targets("alice"));
  assert.deepEqual(asked, ["alice", "alice"]);
});

test("homes over the limit are read when another one has answered, in turn", async () => {
  const { reader, asked, end } = slowReader();
  const bounded = createBoundedReader({ reader, maxHomes: 2 });
  const users = ["a", "b", "c", "d"];
  const answers = users.map((user) => bounded.read(user));
  assert.deepEqual(asked, ["a", "b"]);
  for (const [index, user] of users.entries()) {
    end(user);
    assert.deepEqual(await answers[index], targets(user));
  }
  assert.deepEqual(asked, users);
});

test("when too many homes hang, others are told so at once, until one answers", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const { reader, asked, end } = slowReader();
  const bounded = createBoundedReader({ reader, maxHomes: 2 });
  const hanging = [bounded.read("a"), bounded.read("b")];
  const waiting = bounded.read("c");
  t.mock.timers.tick(3_000);
  for (const answer of hanging) assert.equal(causeOf(await answer), "~: no answer within 3 s");
  assert.match(causeOf(await waiting), TOO_MANY);
  assert.match(causeOf(await bounded.read("d")), TOO_MANY);
  assert.equal(causeOf(await bounded.read("a")), "~: no answer within 3 s");
  assert.deepEqual(asked, ["a", "b"], "nothing that hangs is tried again");

  end("a");
  await new Promise((resolve) => setImmediate(resolve));
  const next = bounded.read("d");
  end("d");
  assert.deepEqual(await next, targets("d"));
  const back = bounded.read("a");
  end("a");
  assert.deepEqual(await back, targets("a"));
});

test("a reader that is closed begins no further read, and is closed when the last one has ended", async () => {
  const { reader, asked, end } = slowReader();
  const bounded = createBoundedReader({ reader, maxHomes: 2, timeLimitMs: 100 });
  const [, , waiting] = ["a", "b", "c"].map((user) => bounded.read(user));
  let isClosed = false;
  const closed = bounded.close().then(() => {
    isClosed = true;
  });
  end("a");
  assert.match(causeOf(await (waiting ?? assert.fail())), TOO_MANY);
  assert.deepEqual([asked, isClosed], [["a", "b"], false]);
  end("b");
  await closed;
});

test("a bug in the reader is thrown on, and its place is free again", async () => {
  const reader: ForwardReader = { read: () => Promise.reject(new TypeError("bug")) };
  const bounded = createBoundedReader({ reader, maxHomes: 1 });
  for (const user of ["a", "a", "b"]) await assert.rejects(bounded.read(user), TypeError);
});

const sizes: [size: string | undefined, homes: number][] = [
  ["32", 24],
  [undefined, 3],
  ["1", 1],
  ["many", 3],
  ["0", 3],
];
for (const [size, homes] of sizes) {
  test(`with UV_THREADPOOL_SIZE ${size}, ${homes} homes are read at the same time`, () => {
    assert.equal(maxHomesOf(size === undefined ? {} : { UV_THREADPOOL_SIZE: size }), homes);
  });
}
