// A server that is away, or pushes back: who tries, who waits, and who hears it at once.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { WaitingHopOptions } from "../testing/waiting-hop.ts";
import type { Attempt } from "./attempt.ts";
import type { Busy } from "./outbound.ts";
import { both, CLIENT, JOB, kinds, PATIENT, type Scene, startScene, until } from "./testing/pool-scene.ts";

const NOBODY = { hop: { host: "127.0.0.1", port: 1 } };
/** With `random` of 0, half of their time each. The last one is longer than a job waits. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];
const LONG_PAUSE_MS = 16_000;
const AWAY = { kind: "busy", cause: "the server could not be reached a moment ago" };
const NEVER_GREETS = (): string => "";

function notTried(cause: string): Attempt {
  const told = `nothing was tried: the server could not be reached a moment ago: ${cause}`;
  return { kind: "no-answer", cause: told, stage: "greeting" };
}

/** Opens a connection that is lost before its greeting. */
async function loseOne({ hop, send }: Scene): Promise<Attempt | Busy> {
  const sessions = hop.now().sessions;
  const attempt = send("lost", JOB);
  await until(() => hop.now().sessions === sessions + 1);
  hop.wires[sessions]?.socket.destroy();
  return attempt;
}

both(
  "a server that refuses connections: all waiting clients hear it at once, and not one after another",
  async (t, startScene) => {
    const { send } = await startScene(t, { maxConnections: 2 });
    const attempts = await Promise.all(
      ["1", "2", "3", "4", "5", "6"].map((text) => send(text, PATIENT, NOBODY)),
    );
    assert.deepEqual(
      attempts.map(({ kind }) => kind),
      ["no-answer", "no-answer", "busy", "busy", "busy", "busy"],
    );
    assert.deepEqual(attempts[2], AWAY);
  },
);

both(
  "with a connection established, one that cannot be had says nothing of the server: who waits goes on waiting",
  async (t, startScene) => {
    const greeting = (session: number) => (session === 2 ? "" : undefined);
    const { hop, send } = await startScene(t, { maxConnections: 2 }, { greeting });
    const first = send("first");
    await until(() => hop.now().owed === 1);
    const second = send("second");
    await until(() => hop.now().sessions === 2);
    const third = send("third");
    hop.wires[1]?.socket.destroy();
    assert.equal((await second).kind, "no-answer");
    const fourth = send("fourth");
    for (let answered = 0; answered < 3; answered++) {
      await until(() => hop.now().owed > 0);
      hop.answer();
    }
    assert.deepEqual(kinds(await Promise.all([first, third, fourth])), ["accepted"]);
  },
);

test("a connection that is being opened beside the failed one does not keep a server alive", async (t) => {
  const { hop, send } = await startScene(t, { maxConnections: 2 }, { greeting: NEVER_GREETS });
  const attempts = [send("first"), send("second"), send("third")];
  await until(() => hop.now().sessions === 2);
  hop.wires[0]?.socket.destroy();
  assert.deepEqual(await attempts[2], AWAY);
  hop.wires[1]?.socket.destroy();
  assert.deepEqual(kinds(await Promise.all(attempts)), ["busy", "no-answer"]);
});

test("a server that answers is there, whatever it says: clients try it again", async (t) => {
  const { hop, send } = await startScene(t, { maxConnections: 4 }, { greeting: NEVER_GREETS });
  const attempts = [send("first"), send("second")];
  await until(() => hop.now().sessions === 2);
  hop.wires[0]?.socket.destroy();
  await attempts[0];
  assert.deepEqual(await send("away", CLIENT), AWAY);
  hop.wires[1]?.send("421 4.3.2 not now\r\n");
  assert.equal((await attempts[1])?.kind, "answered");
  const third = send("third");
  await until(() => hop.now().sessions === 3);
  hop.wires[2]?.socket.destroy();
  assert.equal((await third).kind, "no-answer");
});

/** The last failure begins the long pause. */
async function failUntilLongPause({ send, clock }: Scene): Promise<string> {
  for (const pause of PAUSES_MS) {
    assert.equal((await send("a", JOB, NOBODY)).kind, "no-answer");
    clock.advance(pause);
  }
  const attempt = await send("a", JOB, NOBODY);
  assert.ok(attempt.kind === "no-answer");
  return attempt.cause;
}

test("in a long pause of a server that is away a job does not wait: it hears why, as of an attempt", async (t) => {
  const scene = await startScene(t);
  const { send, clock } = scene;
  const cause = await failUntilLongPause(scene);
  assert.match(cause, /ECONNREFUSED/);
  assert.deepEqual(await send("job", JOB, NOBODY), notTried(cause));
  assert.deepEqual(await send("client", CLIENT, NOBODY), AWAY);
  clock.advance(LONG_PAUSE_MS - 10_001);
  assert.deepEqual(await send("job", JOB, NOBODY), notTried(cause));
  // What is left is waited for, as every short pause; then the server is really tried.
  clock.advance(1);
  let isOver = false;
  const waiting = send("job", JOB, NOBODY).finally(() => {
    isOver = true;
  });
  clock.advance(9_999);
  await new Promise((resolve) => setImmediate(resolve));
  assert.ok(!isOver);
  clock.advance(1);
  assert.deepEqual(await waiting, { kind: "no-answer", cause, stage: "greeting" });
});

test("jobs that wait when a long pause of a server that is away begins hear it, too", async (t) => {
  const scene = await startScene(t);
  const { send, clock } = scene;
  for (const pause of PAUSES_MS) {
    await send("a", JOB, NOBODY);
    clock.advance(pause);
  }
  // Of 20 connections one is left by now.
  const [tried, ...waiting] = await Promise.all(["1", "2", "3"].map((text) => send(text, JOB, NOBODY)));
  assert.ok(tried?.kind === "no-answer");
  assert.match(tried.cause, /^connect ECONNREFUSED/);
  assert.deepEqual(waiting, [notTried(tried.cause), notTried(tried.cause)]);
});

test("after a long pause one attempt asks whether the server is back: other jobs do not wait for its greeting", async (t) => {
  const away = PAUSES_MS.length + 2;
  const greeting = (session: number) => (session <= away ? "" : undefined);
  const scene = await startScene(t, {}, { dot: "250 ok", greeting });
  const { hop, send, clock } = scene;
  for (const pause of [...PAUSES_MS, LONG_PAUSE_MS]) {
    await loseOne(scene);
    clock.advance(pause);
  }
  const asked = loseOne(scene);
  const later = await send("job", JOB);
  assert.ok(later.kind === "no-answer");
  assert.match(
    later.cause,
    /^nothing was tried: the server could not be reached, and is being tried again: /,
  );
  assert.equal((await asked).kind, "no-answer");
  clock.advance(30_000);
  assert.equal((await send("back", JOB)).kind, "accepted");
  assert.deepEqual(kinds(await Promise.all(["1", "2"].map((text) => send(text, JOB)))), ["accepted"]);
  assert.deepEqual(hop.messages.toSorted(), ["1", "2", "back"]);
});

async function startPushingBack(t: TestContext, options: WaitingHopOptions): Promise<Scene> {
  const scene = await startScene(t, {}, options);
  for (const pause of PAUSES_MS) {
    assert.equal((await scene.send("a", JOB)).kind, "answered");
    scene.clock.advance(pause);
  }
  return scene;
}

test("in a long pause of a server that pushed back a job does not wait: it hears why, as of an attempt", async (t) => {
  const times = PAUSES_MS.length + 1;
  const says = (verb: string, nth: number) =>
    verb === "MAIL" && nth <= times ? "451 4.7.1 slow down" : undefined;
  const { hop, send, clock } = await startPushingBack(t, { dot: "250 ok", says });
  const [tried, ...waiting] = await Promise.all(["1", "2"].map((text) => send(text, JOB)));
  assert.equal(tried?.kind, "answered");
  const pause = {
    ...{ kind: "answered", stage: "greeting", tls: "none", ours: true },
    reply: {
      ...{ code: 451, enhanced: "4.3.2" },
      text: "nothing was tried: the server pushed back a moment ago: 451 4.7.1 slow down",
    },
  };
  assert.deepEqual(waiting, [pause]);
  clock.advance(3_000);
  assert.deepEqual(await send("job", JOB), pause);
  assert.equal((await send("client", CLIENT)).kind, "accepted");
  clock.advance(3_000);
  const patient = send("patient", JOB);
  clock.advance(LONG_PAUSE_MS - 6_000);
  assert.equal((await patient).kind, "accepted");
  assert.deepEqual(hop.messages, ["client", "patient"]);
});
