// A next hop that takes its time at the dot, and many sessions for it at once: nobody hears a time-out of our making, and
// nothing is lost or doubled.
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALICE, KEPT, sendOne } from "./harness/client.ts";
import { untilQueueIsEmpty } from "./harness/left-behind.ts";
import { letter } from "./harness/letters.ts";
import { scale, timeout } from "./harness/scale.ts";
import { startSink } from "./harness/sink.ts";
import { createSite } from "./harness/site.ts";

const SESSIONS = scale(60, 200);
const DOT_MS = scale(100, 1000);
/** The short form must have clients that wait for longer than a second, too. */
const CONNECTIONS = scale(3, 20);

for (const acceptance of ["in-session", "spooled"] as const) {
  test(`${SESSIONS} sessions for one next hop that takes ${DOT_MS} ms, half of them unverified, ${acceptance}: all are taken, each once`, {
    timeout,
  }, async (t) => {
    await using hop = await startSink({
      dot: () => new Promise((resolve) => setTimeout(resolve, DOT_MS, undefined)),
    });
    await using site = await createSite({
      routes: { "home.example": hop.port },
      acceptance,
      delivery: { connections: { perServer: CONNECTIONS, perServerOfQueue: Math.ceil(CONNECTIONS / 2) } },
    });
    const service = await site.start();
    const begin = performance.now();
    const sessions = Array.from({ length: SESSIONS }, async (_, index) => {
      const verified = index % 2 === 0;
      const localAddress = verified ? "127.0.0.1" : `127.0.7.${1 + index}`;
      const reply = await sendOne(service.port, letter(`s${index}`), { localAddress });
      return { verified, reply };
    });
    const replies = await Promise.all(sessions);
    const seconds = (performance.now() - begin) / 1000;
    const passedOn = `250 2.0.0 <${ALICE}>: passed on`;
    for (const { verified, reply } of replies)
      assert.ok(reply === passedOn || (verified && reply === KEPT), reply);
    await untilQueueIsEmpty(site.stateFolder);
    assert.deepEqual(new Set(hop.copies.values()), new Set([1]));
    assert.equal(hop.copies.size, SESSIONS);
    const kept = replies.filter(({ reply }) => reply === KEPT).length;
    assert.ok(kept > 0, "some went to the queue");
    assert.deepEqual(
      service.events().filter(({ event }) => event === "error" || event === "lease-lost"),
      [],
    );
    t.diagnostic(`${kept} of ${SESSIONS} from the queue, the last answer after ${seconds.toFixed(1)} s`);
  });
}
