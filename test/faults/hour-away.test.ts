// A next hop that defers everything for an hour, with the clock as an argument: attempts are made at the times of
// docs/walk-of-one-message.md, "From the queue", and the message arrives with the first of them after the hour.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createFakeClock } from "../../packages/forwarder/src/testing/fake-clock.ts";
import { type InProcessForwarder, inProcessForwarder, NOW } from "../harness/in-process.ts";
import { waitFor } from "../harness/wait.ts";
import { KEPT, sendOne } from "./harness/client.ts";
import { letter } from "./harness/letters.ts";
import { timeout } from "./harness/scale.ts";
import { startSink } from "./harness/sink.ts";

const HOUR_SECONDS = 3600;
const ATTEMPTS = 7;
/** By which the queue's own timer may be late where the clock runs faster than the disk. */
const LATE_SECONDS = 5;
/** Of what is planned; chance takes a quarter off at most, and does so here. */
const LEAST = 0.75;

/** As long again as it took until now: five minutes at least, an hour at most. */
function pause(age: number): number {
  return Math.round(LEAST * Math.min(3600, Math.max(300, age)));
}

/** The time of the next attempt, in seconds from the start, when the queue has written down the last one. */
async function planned(forwarder: InProcessForwarder, attempts: number): Promise<number> {
  return waitFor(
    async () => {
      const [entry] = (await forwarder.state?.spool.list({ limit: 1 })) ?? [];
      const [recipient] = entry?.recipients ?? [];
      if (recipient?.attempts !== attempts || recipient.leasedUntil !== undefined) return undefined;
      return recipient.due - NOW;
    },
    { seconds: 10, otherwise: () => `attempt ${attempts} is not written down` },
  );
}

test("a next hop that defers for an hour: as many attempts as are documented, at their times, and one copy", {
  timeout,
}, async (t) => {
  const stateFolder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(stateFolder, { recursive: true }));
  const clock = createFakeClock();
  const attempts: number[] = [];
  await using hop = await startSink({
    rcpt() {
      attempts.push(clock.now() / 1000);
      return clock.now() < 1000 * HOUR_SECONDS ? "450 4.2.1 in an hour" : undefined;
    },
  });
  await using forwarder = await inProcessForwarder({
    aliases: "alice: private@home.example",
    nextHop: hop.port,
    trustedNetworks: ["127.0.0.1"],
    stateFolder,
    spoolFirst: true,
    clock,
  });
  assert.equal(await sendOne(forwarder.port, letter("patient")), KEPT);
  for (let made = 1; made < ATTEMPTS; made++) {
    const due = await planned(forwarder, made);
    const now = Math.floor(clock.now() / 1000);
    assert.equal(due, now + pause(now));
    clock.advance(1000 * (due - now - 2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.equal(attempts.length, made, `not before ${due}: ${attempts}`);
    await waitFor(
      () => {
        if (attempts.length > made) return true;
        // The queue looks at its spool between two of these, which takes a moment of the real time.
        if (clock.now() < 1000 * (due + LATE_SECONDS)) clock.advance(1000);
        return undefined;
      },
      { seconds: 10, otherwise: () => `attempts at ${attempts}, and now it is ${clock.now() / 1000}` },
    );
  }
  await waitFor(() => hop.copies.get("patient"), { seconds: 10, otherwise: () => attempts.join(" ") });
  assert.equal(attempts.length, ATTEMPTS);
  assert.deepEqual([...hop.copies.values()], [1]);
  assert.deepEqual(
    forwarder.events.filter(({ event }) => event === "dsn" || event === "given-up"),
    [],
    "an hour is no delay that anybody is told of",
  );
});
