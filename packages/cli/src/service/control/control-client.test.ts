import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import * as z from "zod";
import { CommandFailure } from "../../failure.ts";
import { ask } from "./control-client.ts";

const SHAPE = { item: z.object({ at: z.int() }), end: z.object({ to: z.int() }) };
const QUESTION = { kind: "count", to: 2 };

/** A service that does this with each client. */
async function serviceThat(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-control-"));
  const path = join(folder, "control");
  const server = createServer(serve);
  server.listen(path);
  await once(server, "listening");
  t.after(async () => {
    server.close();
    await rm(folder, { recursive: true });
  });
  return path;
}

function answering(...lines: readonly object[]): (socket: Socket) => void {
  return (socket) => {
    socket.once("data", () => socket.end(lines.map((line) => `${JSON.stringify(line)}\n`).join("")));
  };
}

async function failure(path: string): Promise<readonly [string, string]> {
  const error = await ask(path, QUESTION, SHAPE).then(
    () => assert.fail("an answer"),
    (error: unknown) => error,
  );
  assert.ok(error instanceof CommandFailure, String(error));
  return [error.reason, error.message];
}

test("items and the end are collected, and fields of a newer service are left out", async (t) => {
  const path = await serviceThat(
    t,
    answering(
      { kind: "item", value: { at: 1, newer: true } },
      { kind: "item", value: { at: 2 } },
      { kind: "end", value: { to: 2 } },
    ),
  );
  assert.deepEqual(await ask(path, QUESTION, SHAPE), { items: [{ at: 1 }, { at: 2 }], end: { to: 2 } });
});

const failures: [what: string, serve: (socket: Socket) => void, reason: string, message: RegExp][] = [
  ["no answer", (socket) => socket.destroy(), "unavailable", /closed the connection/],
  ["half an answer", answering({ kind: "item", value: { at: 1 } }), "unavailable", /closed the connection/],
  ["another shape", answering({ kind: "end", value: { to: "x" } }), "unavailable", /is it the same version/],
  ["no such line", answering({ kind: "hello" }), "unavailable", /is it the same version/],
  [
    "a line without an end",
    (socket) => {
      socket.on("error", () => {});
      socket.write(Buffer.alloc(5 * 1024 * 1024, "x"));
    },
    "unavailable",
    /is it the same version/,
  ],
  [
    "a question that it does not know",
    answering({ kind: "error", reason: "question", message: "what?" }),
    "usage",
    /^what\?$/,
  ],
  [
    "a disk that is away",
    answering({ kind: "error", reason: "unavailable", message: "the spool cannot be asked now" }),
    "temporary",
    /^the spool cannot be asked now$/,
  ],
];
for (const [what, serve, reason, message] of failures) {
  test(`a service that gives ${what}: ${reason}`, async (t) => {
    const [gotReason, gotMessage] = await failure(await serviceThat(t, serve));
    assert.match(gotMessage, message);
    assert.equal(gotReason, reason);
  });
}

test("without a service: unavailable, and the words name the socket and what to start", async () => {
  const [reason, message] = await failure(join(tmpdir(), "homing-none", "control"));
  assert.equal(reason, "unavailable");
  assert.match(message, /homing-none\/control: no service answers there: start homing serve/);
});

test("a name that is too long for a socket is a mistake of the configuration", async () => {
  const [reason, message] = await failure(join(tmpdir(), "x".repeat(120)));
  assert.equal(reason, "config");
  assert.match(message, /has at most 107: choose a stateDirectory with a shorter path/);
});
