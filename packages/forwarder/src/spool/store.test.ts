// The spool's database by itself: a full disk in the middle of a batch, chunks without a message, room that is given back.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { createBatchRunner } from "./batch.ts";
import { openDatabase } from "./database.ts";
import { createHousekeeping } from "./housekeeping.ts";
import type { Claimed, Operation, Put } from "./operations.ts";
import { messageRow, recipientRow } from "./rows.ts";
import { createStore, type Store } from "./store.ts";
import { createSyncs } from "./syncs.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { message, patterned, recipient, T0 } from "./testing/messages.ts";

const AMPLE = { lacking: () => undefined };
/** Nothing here lasts long enough for a sync to be overdue. */
const never = { later: () => () => {}, changes: () => 0, sync: () => {} };

async function openStore(t: TestContext) {
  const file = join(await temporaryFolder(t), "spool.db");
  const db = openDatabase(file);
  t.after(() => db.close());
  const store = createStore(db);
  const runBatch = createBatchRunner(db, { store, room: AMPLE, syncs: createSyncs({ db, ...never }) });
  const run = (operations: readonly Operation[], body?: Buffer) =>
    runBatch({ operations, bodies: operations.map(() => body) });
  return { file, db, store, run };
}

function newPut(number: number, chunks = 0): Put {
  const one = recipient("a@home.example", { leasedUntil: T0 + 600 });
  const row = messageRow(message(`m${number}`), number, chunks);
  return { message: number, chunks, row, recipients: [recipientRow(one, number, 0)] };
}

function put(number: number, chunks = 0): Operation {
  return { kind: "put", put: newPut(number, chunks) };
}

function finish(message: number, dsn?: Put): Operation {
  return { kind: "finish", lease: { message, recipient: 0, attempt: 1 }, ...(dsn ? { dsn } : {}) };
}

function chunk(message: number, place: number): Operation {
  return { kind: "chunk", message, place };
}

/** As a disk with no block left. */
function fillDisk(db: DatabaseSync): void {
  db.exec(`PRAGMA max_page_count = ${Number(db.prepare("PRAGMA page_count").get()?.page_count)}`);
}

function keepHouse(db: DatabaseSync, store: Store): void {
  const housekeeping = createHousekeeping(db, store);
  while (housekeeping.idleStep());
}

function countChunks(db: DatabaseSync): unknown {
  return db.prepare("SELECT count(*) AS count FROM chunks").get()?.count;
}

test("on a full disk puts have no room, and what makes room is done in the same batch", async (t) => {
  const { db, run } = await openStore(t);
  const large = patterned(100_000);
  run([put(1), put(2)], large);
  fillDisk(db);
  const answers = run([put(3), finish(1), put(4)], patterned(1_000_000));
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ["no-room", "done", "no-room"],
  );
  assert.deepEqual(
    run([{ kind: "list", after: 0, limit: 10 }]).map(
      (answer) => answer.kind === "done" && (answer.value as unknown[]).length,
    ),
    [1],
  );
});

test("a DSN that finds no room leaves its recipient as it was", async (t) => {
  const { db, run } = await openStore(t);
  run([put(1)], patterned(1000));
  fillDisk(db);
  assert.equal(run([finish(1, newPut(2))], patterned(1_000_000))[0]?.kind, "no-room");
  db.exec("PRAGMA max_page_count = 1000000");
  assert.deepEqual(run([finish(1, newPut(2))], patterned(1_000_000)), [{ kind: "done", value: true }]);
});

test("a message whose chunks are not all here is not stored", async (t) => {
  const { run } = await openStore(t);
  run([chunk(1, 0)], patterned(1000));
  assert.deepEqual(run([put(1, 2)]), [{ kind: "done", value: "chunks-gone" }]);
  run([chunk(1, 1)], patterned(1000));
  assert.deepEqual(run([put(1, 2)]), [{ kind: "done", value: "stored" }]);
});

test("a put that is asked again, because nobody knows whether it was done, is done once", async (t) => {
  const { run } = await openStore(t);
  const again: Operation = { kind: "put", put: newPut(1), maybeAgain: true, notes: noteChanges("told") };
  assert.deepEqual(run([again]), [{ kind: "done", value: "stored" }]);
  run([{ kind: "change-notes", notes: noteChanges("later") }]);
  assert.deepEqual(run([again]), [{ kind: "done", value: "stored" }]);
  assert.deepEqual(run([{ kind: "find-note", of: "x", key: "k", now: T0 }]), [
    { kind: "done", value: { of: "x", key: "k", value: "later", expires: T0 + 9 } },
  ]);
  assert.equal(run([put(1)])[0]?.kind, "refused");
});

test("on a full disk a put leaves its notes as they were", async (t) => {
  const { db, run } = await openStore(t);
  run([put(1)], patterned(1000));
  fillDisk(db);
  const full = run([{ kind: "put", put: newPut(2), notes: noteChanges("spent") }], patterned(1_000_000));
  assert.equal(full[0]?.kind, "no-room");
  assert.deepEqual(run([{ kind: "find-note", of: "x", key: "k", now: T0 }]), [
    { kind: "done", value: undefined },
  ]);
});

const ABSENT = { absent: [{ of: "x", key: "k" }] };

test("what must not be stored twice is no conflict with itself where it is asked again", async (t) => {
  const { db, run } = await openStore(t);
  const notes = { ...noteChanges("told"), ...ABSENT };
  const again: Operation = { kind: "put", put: newPut(1), maybeAgain: true, notes };
  assert.deepEqual(run([again]), [{ kind: "done", value: "stored" }]);
  assert.deepEqual(run([again]), [{ kind: "done", value: "stored" }]);
  assert.deepEqual(run([{ kind: "put", put: newPut(2), maybeAgain: true, notes }]), [
    { kind: "done", value: "conflict" },
  ]);
  const all = (puts: Put[], maybe?: { maybeAgain: true }): Operation => ({
    ...{ kind: "put-all", puts, octets: puts.map(() => 5), ...maybe },
    notes: { now: T0, write: [{ of: "x", key: "all", value: "", expires: T0 + 9 }], remove: [] },
  });
  const both = [newPut(3), newPut(4)];
  const withCondition = (operation: Operation): Operation =>
    operation.kind === "put-all" && operation.notes
      ? { ...operation, notes: { ...operation.notes, absent: [{ of: "x", key: "all" }] } }
      : operation;
  const first = withCondition(all(both));
  const second = withCondition(all(both, { maybeAgain: true }));
  assert.deepEqual(run([first, first], Buffer.from("firstother")), [
    { kind: "done", value: "stored" },
    { kind: "done", value: "conflict" },
  ]);
  assert.deepEqual(run([second], Buffer.from("firstother")), [{ kind: "done", value: "stored" }]);
  // Nor is it said not to be there because the disk has become full.
  fillDisk(db);
  const answers = run([second, put(5)], patterned(1_000_000));
  assert.deepEqual(
    answers.map(({ kind }) => kind),
    ["done", "no-room"],
  );
  const rows = db.prepare("SELECT number, body FROM messages WHERE number > 2 ORDER BY number").all();
  assert.deepEqual(
    rows.map(({ number, body }) => [number, Buffer.from(body as Uint8Array).toString()]),
    [
      [3, "first"],
      [4, "other"],
    ],
  );
});

test("of several messages none is stored where the chunks of one are gone, or the disk is full", async (t) => {
  const { db, run } = await openStore(t);
  const all: Operation = {
    ...{ kind: "put-all", puts: [newPut(1), newPut(2, 2)], octets: [10, 0] },
    notes: noteChanges("told"),
  };
  run([chunk(2, 0)], patterned(10));
  assert.deepEqual(run([all], patterned(10)), [{ kind: "done", value: "chunks-gone" }]);
  run([chunk(2, 1)], patterned(10));
  fillDisk(db);
  const large: Operation = { ...all, octets: [1_000_000, 0] };
  assert.equal(run([large], patterned(1_000_000))[0]?.kind, "no-room");
  assert.deepEqual(
    run([
      { kind: "show", id: "m1" },
      { kind: "find-note", of: "x", key: "k", now: T0 },
    ]),
    [
      { kind: "done", value: undefined },
      { kind: "done", value: undefined },
    ],
  );
  db.exec("PRAGMA max_page_count = 1000000");
  assert.deepEqual(run([all], patterned(10)), [{ kind: "done", value: "stored" }]);
});

test("leases of messages whose sender was told that they are not stored end", async (t) => {
  const { store, run } = await openStore(t);
  run([put(1), put(2)], patterned(10));
  store.endLeases(1);
  store.endLeases(7);
  assert.deepEqual(run([finish(1), finish(2)]), [
    { kind: "done", value: false },
    { kind: "done", value: true },
  ]);
  const claim: Operation = { kind: "claim", now: T0, leaseUntil: T0 + 9, limit: 9, leaveOut: [] };
  const [answer] = run([claim]);
  assert.equal(answer?.kind === "done" && (answer.value as Claimed).recipients.length, 1);
});

function noteChanges(value: string) {
  return { now: T0, write: [{ of: "x", key: "k", value, expires: T0 + 9 }], remove: [] };
}

test("chunks that a killed process left without a message are swept, those of messages stay", async (t) => {
  const { db, run } = await openStore(t);
  for (let place = 0; place < 20; place++) run([chunk(1, place), chunk(2, place)], patterned(10_000));
  run([put(2, 20)]);
  keepHouse(db, createStore(db));
  assert.equal(countChunks(db), 20);
  assert.equal(run([{ kind: "read", message: 2, place: 19 }])[0]?.kind, "done");
});

test("the chunks of a message go after it, and not with a transaction that was rolled back", async (t) => {
  const { db, store, run } = await openStore(t);
  for (let place = 0; place < 3; place++) run([chunk(1, place)], patterned(10_000));
  run([put(1, 3)]);
  db.exec("BEGIN");
  assert.equal(store.run(finish(1), undefined), true);
  db.exec("ROLLBACK");
  keepHouse(db, store);
  assert.equal(countChunks(db), 3);
  run([finish(1)]);
  keepHouse(db, store);
  assert.equal(countChunks(db), 0);
});

test("after a drain the file gives its room back, and the log all of it", async (t) => {
  const { file, db, store, run } = await openStore(t);
  for (let at = 1; at <= 40; at++) run([put(at)], patterned(1_000_000));
  keepHouse(db, store);
  const full = statSync(file).size;
  assert.ok(full > 40_000_000);
  for (let at = 1; at <= 40; at++) run([finish(at)]);
  keepHouse(db, store);
  assert.ok(statSync(file).size < full / 2);
  assert.equal(statSync(`${file}-wal`).size, 0);
});

test("a message that was never acknowledged is withdrawn", async (t) => {
  const { store, run } = await openStore(t);
  run([put(1), put(2)], patterned(10));
  store.withdraw(1);
  store.withdraw(7);
  assert.deepEqual(run([{ kind: "show", id: "m1" }]), [{ kind: "done", value: undefined }]);
  assert.deepEqual(run([finish(1), finish(2)]), [
    { kind: "done", value: false },
    { kind: "done", value: true },
  ]);
});

test("the last number counts messages and chunks", async (t) => {
  const { store, run } = await openStore(t);
  assert.equal(store.lastNumber(), 0);
  run([put(3)], patterned(10));
  assert.equal(store.lastNumber(), 3);
  run([chunk(9, 0)], patterned(10));
  assert.equal(store.lastNumber(), 9);
});
