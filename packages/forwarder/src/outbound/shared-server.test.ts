// One server by several names, with several demands and accounts: its limits are for all of them, its connections are not.
import assert from "node:assert/strict";
import { test } from "node:test";
import type { NextHop } from "../next-hops.ts";
import { SILENCE } from "../testing/smtp-peers.ts";
import type { Attempt } from "./attempt.ts";
import type { Busy, Patience } from "./outbound.ts";
import { both, CLIENT, JOB, kinds, PATIENT, type Scene, startScene, until } from "./testing/pool-scene.ts";

type Asked = Omit<NextHop, "host" | "port">;

/** As somebody who asks for the server of the scene in this way. */
function sendAs(
  { hop: { host, port }, send }: Scene,
  asked: Asked,
  patience: Patience = PATIENT,
  timeIsUp?: AbortSignal,
): Promise<Attempt | Busy> {
  const text = asked.name ?? "x";
  return send(text, patience, { hop: { host, port, ...asked }, ...(timeIsUp ? { timeIsUp } : {}) });
}

const NAMES = Array.from({ length: 10 }, (_, index) => ({ name: `mx${index}.test` }));
const [ONE, OTHER, THIRD] = NAMES as [{ name: string }, { name: string }, { name: string }];

both("ten names of one server share its connections, first come first served", async (t, startScene) => {
  const scene = await startScene(t, { maxConnections: 2 });
  const { hop } = scene;
  const attempts = NAMES.map((asked) => sendAs(scene, asked));
  for (let answered = 0; answered < NAMES.length; answered++) {
    await until(() => hop.now().owed > 0);
    hop.answer();
  }
  assert.deepEqual(kinds(await Promise.all(attempts)), ["accepted"]);
  assert.equal(hop.now().most, 2);
  // None was used by two names.
  assert.equal(hop.now().sessions, 10);
  for (const [place, { name }] of NAMES.entries())
    assert.ok(Math.abs(hop.messages.indexOf(name) - place) < 2, name);
});

const account = (user: string, password: string) => ({ credentials: { user, password } });
both("a connection is used again for the same name, demand and account alone", async (t, startScene) => {
  const says = (verb: string) => {
    if (verb === "AUTH") return "235 2.7.0 ok";
    return verb === "EHLO" ? "250-hop.example\r\n250 AUTH PLAIN" : undefined;
  };
  const scene = await startScene(t, {}, { dot: "250 ok", says });
  const all: Asked[] = [
    {},
    ONE,
    OTHER,
    { ...ONE, tls: "opportunistic" },
    account("a", "b"),
    account("a", "c"),
    account("b", "b"),
  ];
  for (const asked of all) assert.equal((await sendAs(scene, asked)).kind, "accepted");
  assert.equal(scene.hop.now().sessions, all.length);
  for (const asked of all) assert.equal((await sendAs(scene, asked)).kind, "accepted");
  assert.equal(scene.hop.now().sessions, all.length);
  assert.equal(scene.hop.commands.filter((line) => line.startsWith("AUTH")).length, 3);
});

both(
  "where all connections are idle and another name's, the longest idle one makes room",
  async (t, startScene) => {
    const scene = await startScene(t, { maxConnections: 2 });
    const { hop } = scene;
    const first = [sendAs(scene, ONE), sendAs(scene, ONE)];
    await until(() => hop.now().owed === 2);
    hop.answer();
    hop.answer();
    await Promise.all(first);
    for (const asked of [OTHER, ONE, OTHER]) {
      const attempt = sendAs(scene, asked);
      await until(() => hop.now().owed === 1);
      hop.answer();
      assert.equal((await attempt).kind, "accepted");
    }
    assert.equal(hop.now().most, 2);
    assert.equal(hop.now().sessions, 3);
    assert.equal(hop.commands.filter((line) => line === "QUIT").length, 1);
  },
);

both(
  "whoever waits for the end of another name's connection leaves when his time is up",
  async (t, startScene) => {
    const says = (verb: string) => (verb === "QUIT" ? SILENCE : undefined);
    const scene = await startScene(t, { maxConnections: 1 }, { dot: "250 ok", says });
    await sendAs(scene, ONE);
    const limit = new AbortController();
    const other = sendAs(scene, OTHER, PATIENT, limit.signal);
    await until(() => scene.hop.commands.includes("QUIT"));
    const aborted = performance.now();
    limit.abort();
    assert.deepEqual(await other, { kind: "no-answer", cause: "time is up", stage: "greeting" });
    // A QUIT without an answer is given up after five seconds anyway.
    assert.ok(performance.now() - aborted < 4_000);
    assert.equal((await sendAs(scene, THIRD)).kind, "accepted");
    assert.deepEqual(scene.hop.messages, [ONE.name, THIRD.name]);
    assert.equal(scene.hop.now().sessions, 2);
  },
);

test("the rate of one server is for all of its names", async (t) => {
  const scene = await startScene(t, { messagesPerSecond: 2 }, { dot: "250 ok" });
  assert.equal((await sendAs(scene, ONE)).kind, "accepted");
  for (const asked of [OTHER, THIRD]) {
    scene.clock.advance(499);
    assert.equal((await sendAs(scene, asked, { ...CLIENT, freeWithinMs: 0 })).kind, "busy");
    scene.clock.advance(1);
    assert.equal((await sendAs(scene, asked)).kind, "accepted");
  }
});

test("a server that pushes back under one name has its pause under all of them", async (t) => {
  const greeting = (session: number) => (session === 1 ? "421 4.7.0 too many connections" : undefined);
  const scene = await startScene(t, {}, { dot: "250 ok", greeting });
  assert.equal((await sendAs(scene, ONE, JOB)).kind, "answered");
  scene.clock.advance(499);
  assert.equal((await sendAs(scene, OTHER, { ...JOB, freeWithinMs: 0 })).kind, "busy");
  scene.clock.advance(1);
  assert.equal((await sendAs(scene, OTHER, JOB)).kind, "accepted");
});

test("a server that is away under one name is away under all of them", async (t) => {
  const { send } = await startScene(t);
  const nobody = (name: string) => ({ hop: { host: "127.0.0.1", port: 1, name } });
  assert.equal((await send("a", CLIENT, nobody("mx1.test"))).kind, "no-answer");
  assert.equal((await send("b", CLIENT, nobody("mx2.test"))).kind, "busy");
});

test("TLS that one name must have, and the server does not offer, is no pause for the others", async (t) => {
  const scene = await startScene(t, {}, { dot: "250 ok" });
  const attempt = await sendAs(scene, { ...ONE, tls: "required" }, JOB);
  assert.ok(attempt.kind === "answered" && attempt.reply.enhanced === "4.7.4");
  assert.equal((await sendAs(scene, OTHER, JOB)).kind, "accepted");
});

test("credentials that are refused are a push-back", async (t) => {
  const says = (verb: string) => {
    if (verb === "AUTH") return "535 5.7.8 no";
    return verb === "EHLO" ? "250-hop.example\r\n250 AUTH PLAIN" : undefined;
  };
  const scene = await startScene(t, {}, { dot: "250 ok", says });
  const refused = account("a", "b");
  assert.equal((await sendAs(scene, refused, JOB)).kind, "answered");
  assert.equal((await sendAs(scene, refused, { ...JOB, freeWithinMs: 0 })).kind, "busy");
});
