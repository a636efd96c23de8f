import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { askDaemon } from "./ask-daemon.ts";

async function daemon(t: TestContext, serve: (socket: Socket) => void): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    t.after(() => socket.destroy());
    serve(socket);
  }).listen(0, "127.0.0.1");
  t.after(() => server.close());
  await once(server, "listening");
  return `127.0.0.1:${(server.address() as { port: number }).port}`;
}

test("an answer is read to the end of the connection, in whatever pieces it comes", async (t) => {
  let heard = "";
  const place = await daemon(t, (socket) => {
    socket.on("data", (piece) => {
      heard += String(piece);
      socket.write("OK bob@");
      setImmediate(() => socket.end("x.example\n"));
    });
  });
  assert.deepEqual(await askDaemon(place, "forward a\n"), { kind: "rewritten", sender: "bob@x.example" });
  assert.equal(heard, "forward a\n");
});

test("a daemon that says nothing in time is asked again later", async (t) => {
  const place = await daemon(t, () => {});
  assert.deepEqual(await askDaemon(place, "forward a\n", 50), { kind: "later", why: "no answer in time" });
});

test("an answer without end is cut off", async (t) => {
  const place = await daemon(t, (socket) => void socket.write("x".repeat(100_000)));
  assert.deepEqual(await askDaemon(place, "forward a\n"), { kind: "later", why: "an answer without end" });
});

test("a connection that breaks off in the middle is no answer", async (t) => {
  const place = await daemon(t, (socket) => {
    socket.write("OK bob@x.example");
    setTimeout(() => socket.resetAndDestroy(), 30);
  });
  assert.equal((await askDaemon(place, "forward a\n")).kind, "later");
});

test("what is neither a path nor HOST:PORT is a mistake", async () => {
  assert.equal((await askDaemon("nowhere", "forward a\n")).kind, "wrong");
});
