// The codec behind a real listener: what a client sees who pipelines, breaks off, or says what is no netstring.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import type { AdapterEvent } from "../adapter-events.ts";
import { type AdapterListener, listenAdapter } from "../wire/listener.ts";
import { renderNetstring } from "./netstring.ts";
import { socketmapProtocol } from "./socketmap.ts";

interface Listening {
  readonly events: readonly AdapterEvent[];
  /** A connection that has said this. */
  say(...pieces: readonly string[]): Promise<Socket>;
}

/** A map that knows every key. */
async function listening(t: TestContext): Promise<Listening> {
  const events: AdapterEvent[] = [];
  const listener: AdapterListener = await listenAdapter({
    adapter: "socketmap",
    place: { host: "127.0.0.1", port: 0 },
    protocol: socketmapProtocol({ lookUp: (map, key) => ({ kind: "found", value: `${map}/${key}` }) }),
    maxConnections: 10,
    report: (event) => events.push(event),
    nowMs: () => performance.now(),
  });
  t.after(() => listener.close());
  const { place } = listener;
  assert.ok("port" in place);
  return {
    events,
    async say(...pieces) {
      const socket = connect(place.port, "127.0.0.1").setNoDelay(true).setEncoding("utf8");
      t.after(() => socket.destroy());
      socket.on("error", () => {});
      await once(socket, "connect");
      for (const piece of pieces) await new Promise((resolve) => socket.write(piece, resolve));
      return socket;
    },
  };
}

/** All that comes until the other end is done. */
async function heard(socket: Socket): Promise<string> {
  let text = "";
  for await (const piece of socket) text += piece;
  return text;
}

test("pipelined requests are answered in their order, and a client that has said all gets every answer", async (t) => {
  const { say, events } = await listening(t);
  const keys = Array.from({ length: 2000 }, (_, index) => `bob${index}@origin.example`);
  const socket = await say(keys.map((key) => renderNetstring(`forward ${key}`)).join(""));
  socket.end();
  const answers = keys.map((key) => renderNetstring(`OK forward/${key}`)).join("");
  assert.equal(await heard(socket), answers);
  assert.deepEqual(events, []);
});

test("a request that comes octet by octet is answered", async (t) => {
  const { say } = await listening(t);
  const socket = await say(...renderNetstring("forward bob@origin.example"));
  assert.deepEqual(await once(socket, "data"), [renderNetstring("OK forward/bob@origin.example")]);
});

for (const wrong of ["hello\r\n", "1025:", "9999999999", "3:a b;", "03:a b,", "\0"]) {
  test(`${JSON.stringify(wrong)} ends the connection with one event, and nobody else's`, async (t) => {
    const { say, events } = await listening(t);
    const other = await say("11:forw");
    assert.equal(await heard(await say(wrong)), "");
    assert.deepEqual(
      events.map(({ event }) => event),
      ["adapter-fault"],
    );
    other.write("ard bob,");
    assert.deepEqual(await once(other, "data"), [renderNetstring("OK forward/bob")]);
  });
}

test("a client that ends in the middle of a request is told in the log", async (t) => {
  const { say, events } = await listening(t);
  const socket = await say("11:forw");
  socket.end();
  assert.equal(await heard(socket), "");
  const faults = events.map((event) => event.event === "adapter-fault" && event.fault);
  assert.deepEqual(faults, ["the client ended in the middle of a request"]);
});
