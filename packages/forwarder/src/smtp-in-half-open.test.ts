// Clients that keep their end of a connection open when we have closed ours: they take nobody's place.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { dialFrom, type Recorder, startRecorder } from "./testing/recorder.ts";
import { Wire, within } from "./testing/wire.ts";

/** It never closes its end by itself. */
async function stubborn(t: TestContext, { host, port }: Recorder): Promise<Wire> {
  const wire = new Wire(connect({ host, port, localAddress: "127.0.0.9", allowHalfOpen: true }));
  t.after(() => void wire.socket.destroy());
  await within(once(wire.socket, "connect"), "a connection");
  return wire;
}

test("who is turned away and does not leave takes no socket from others", async (t) => {
  const server = await startRecorder(t, {}, { maxClients: 10, limits: { clientsPerNetwork: 1 } });
  const first = await stubborn(t, server);
  assert.match(await first.reply(), /^220 /);
  // More than the listener has sockets.
  for (let count = 0; count < 150; count++)
    assert.match(await (await stubborn(t, server)).rest(), /^421 4\.7\.0 too many connections from your/);
  using good = await dialFrom("127.0.0.1", server);
  assert.match(await good.reply(), /^220 /);
  assert.deepEqual([server.counts().turnedAway, server.counts().clients], [150, 2]);
});

test("who was sent away and does not leave still counts for its network", async (t) => {
  const server = await startRecorder(t, {}, { limits: { clientsPerNetwork: 2 } });
  for (let count = 0; count < 2; count++) {
    const client = await stubborn(t, server);
    assert.match(await client.reply(), /^220 /);
    client.send("GET / HTTP/1.1\r\n");
    assert.equal(await client.rest(), "421 4.7.0 this is a mail server\r\n");
  }
  const third = await stubborn(t, server);
  assert.match(await third.rest(), /^421 4\.7\.0 too many connections from your network/);
  using good = await dialFrom("127.0.0.1", server);
  assert.match(await good.reply(), /^220 /);
});
