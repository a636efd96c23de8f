import assert from "node:assert/strict";
import { test } from "node:test";
import { memoryContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import type { Delivery } from "../deliver.ts";
import { createLateSuccesses, lateKey, memoryRecords } from "./late-successes.ts";

const DELIVERED: Delivery = { kind: "delivered", hop: "", detail: "" };
const REFUSED: Delivery = { kind: "failed", code: 550, enhanced: "5.1.1", hop: "", detail: "" };

function lates() {
  return createLateSuccesses(memoryRecords(2), (error) => assert.fail(String(error)));
}

test("a late success answers one further try, and no more", async () => {
  const late = lates();
  assert.equal(late.any(), false);
  late.watch(Promise.resolve("a"), Promise.resolve(DELIVERED));
  await new Promise(setImmediate);
  assert.equal(late.any(), true);
  assert.deepEqual(await late.find("b"), undefined);
  assert.deepEqual(await late.find("a"), { kind: "delivered" });
  assert.deepEqual(await late.find("a"), undefined);
  assert.equal(late.any(), false);
});

test("a success whose client is gone answers its next try", async () => {
  const late = lates();
  await late.record(Promise.resolve("a"));
  assert.deepEqual(await late.find("a"), { kind: "delivered" });
  assert.deepEqual(await late.find("a"), undefined);
});

test("that a record cannot be kept is told, and nothing else fails", async () => {
  const told: unknown[] = [];
  const broken = { ...memoryRecords(2), record: () => Promise.reject(new Error("no disk")) };
  await createLateSuccesses(broken, (error) => told.push(error)).record(Promise.resolve("a"));
  assert.match(String(told), /no disk/);
});

test("a late refusal leaves nothing: the next try is a new one", async () => {
  const late = lates();
  late.watch(Promise.resolve("a"), Promise.resolve(REFUSED));
  await new Promise(setImmediate);
  assert.equal(await late.find("a"), undefined);
});

test("a try while the first one runs joins it, and then nothing is left to answer with", async () => {
  const late = lates();
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  await late.watch(Promise.resolve("a"), promise);
  const found = await late.find("a");
  assert.equal(found?.kind, "running");
  assert.equal(await late.find("a"), undefined, "a third client is not answered with the same copy");
  resolve(DELIVERED);
  assert.ok(found?.kind === "running");
  assert.deepEqual(await found.attempt, DELIVERED);
  await new Promise(setImmediate);
  assert.equal(await late.find("a"), undefined);
});

test("whoever joined and went away leaves the success to the next one", async () => {
  const late = lates();
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  await late.watch(Promise.resolve("a"), promise);
  const found = await late.find("a");
  assert.ok(found?.kind === "running");
  found.hold.release();
  resolve(DELIVERED);
  await new Promise(setImmediate);
  assert.deepEqual(await late.find("a"), { kind: "delivered" });
});

test("a key is of one network, sender, target and content", async () => {
  const bob = { localPart: "bob", domain: "d.test" };
  const alice = { localPart: "alice", domain: "d.test" };
  const x = memoryContent(Buffer.from("x"));
  const keys = await Promise.all([
    lateKey("192.0.2", bob, alice, x),
    lateKey("192.0.3", bob, alice, x),
    lateKey("192.0.2", NULL_PATH, alice, x),
    lateKey("192.0.2", alice, alice, x),
    lateKey("192.0.2", bob, bob, x),
    lateKey("192.0.2", bob, alice, memoryContent(Buffer.from("y"))),
  ]);
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(await lateKey("192.0.2", bob, alice, x), keys[0]);
});

test("a success of which the sender was told is found as such, and once", async () => {
  const late = lates();
  await late.record(Promise.resolve("a"), true);
  assert.deepEqual(await late.find("a"), { kind: "delivered", isTold: true });
  assert.equal(await late.find("a"), undefined);
});

test("two equal messages that are taken late answer two further tries, whether they run still or not", async () => {
  const late = lates();
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  late.watch(Promise.resolve("a"), Promise.resolve(DELIVERED));
  await late.watch(Promise.resolve("a"), promise);
  late.watch(Promise.resolve("a"), Promise.resolve(DELIVERED));
  await new Promise(setImmediate);
  const running = await late.find("a");
  assert.ok(running?.kind === "running");
  running.hold.release();
  resolve(DELIVERED);
  await new Promise(setImmediate);
  for (const expected of [{ kind: "delivered" }, { kind: "delivered" }])
    assert.deepEqual(await late.find("a"), expected);
});

test("whoever joined, and let go after the attempt was over, leaves the success to the next one", async () => {
  const late = lates();
  const { promise, resolve } = Promise.withResolvers<Delivery>();
  await late.watch(Promise.resolve("a"), promise);
  const found = await late.find("a");
  assert.ok(found?.kind === "running");
  resolve(DELIVERED);
  await new Promise(setImmediate);
  found.hold.release();
  found.hold.release();
  await new Promise(setImmediate);
  assert.deepEqual(await late.find("a"), { kind: "delivered" });
  assert.equal(await late.find("a"), undefined);
});

test("an attempt that fails by a bug is forgotten", async () => {
  const told: unknown[] = [];
  const late = createLateSuccesses(memoryRecords(2), (error) => told.push(error));
  await late.watch(Promise.resolve("a"), Promise.reject(new Error("a bug")));
  await new Promise(setImmediate);
  assert.match(String(told), /a bug/);
  assert.equal(late.any(), false);
});
