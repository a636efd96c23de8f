import assert from "node:assert/strict";
import { test } from "node:test";
import type { Operation } from "./operations.ts";
import { createSyncs, SYNC_WITHIN_MS } from "./syncs.ts";

const lease = { message: 1, recipient: 0, attempt: 1 };
const put = { message: 2, chunks: 0, row: [], recipients: [] };
const notes = { now: 1, write: [], remove: [] };
const note = { of: "late", key: "a", value: "", expires: 2 };

const OVER: Operation = { kind: "finish", lease };
const RELIED: readonly Operation[] = [
  { kind: "put", put },
  { kind: "put-all", puts: [put], octets: [1] },
  { kind: "chunk", message: 2, place: 0 },
  { kind: "finish", lease, dsn: put },
  { kind: "finish", lease, notes },
  { kind: "retry", lease, deferral: [] },
  { kind: "retry", lease, deferral: [], dsn: put },
  { kind: "claim", now: 1, leaseUntil: 2, limit: 1, leaveOut: [] },
  { kind: "note", note, now: 1 },
  { kind: "change-notes", notes },
  { kind: "take-note", of: "late", key: "a", now: 1 },
  { kind: "drop", id: "a" },
  { kind: "retry-now", id: "a", now: 1 },
];
const NOT_RELIED: readonly Operation[] = [
  OVER,
  { kind: "forget", message: 2 },
  { kind: "next-due" },
  { kind: "find-note", of: "late", key: "a", now: 1 },
];

/** What is said to the database, and the time that `pass` lets go by. */
function world() {
  const said: string[] = [];
  let changes = 0;
  let syncsOfItsOwn = 0;
  let due: { readonly call: () => void; readonly ms: number } | undefined;
  const syncs = createSyncs({
    db: { exec: (words) => void said.push(words) },
    changes: () => changes,
    sync: () => void syncsOfItsOwn++,
    later(call, ms) {
      assert.equal(due, undefined, "one call at a time");
      due = { call, ms };
      return () => {
        due = undefined;
      };
    },
  });
  return {
    syncs,
    /** A transaction with this operation. */
    run(operation: Operation, rows = 1) {
      syncs.before([operation]);
      changes += rows;
      syncs.after();
    },
    waitsFor: () => due?.ms,
    pass() {
      const { call } = due ?? {};
      due = undefined;
      call?.();
    },
    said: () => said.splice(0),
    syncsOfItsOwn: () => syncsOfItsOwn,
  };
}

const FULL = "PRAGMA synchronous = FULL";
const NORMAL = "PRAGMA synchronous = NORMAL";

test("whatever somebody may rely on is synced, alone or beside others", () => {
  for (const relied of RELIED) {
    const { syncs, said } = world();
    syncs.before([relied]);
    assert.deepEqual(said(), [], relied.kind);
    syncs.before([OVER]);
    said();
    syncs.before([OVER, relied, OVER]);
    assert.deepEqual(said(), [FULL], relied.kind);
  }
});

test("that a recipient is over, and what only asks, waits for the sync of others", () => {
  for (const operation of NOT_RELIED) {
    const { syncs, said } = world();
    syncs.before([operation]);
    assert.deepEqual(said(), [NORMAL], operation.kind);
    syncs.before([operation]);
    assert.deepEqual(said(), [], "it is that already");
  }
});

test("it does not wait long: without another it is synced for itself", () => {
  const { run, pass, waitsFor, syncsOfItsOwn } = world();
  run(OVER);
  assert.equal(waitsFor(), SYNC_WITHIN_MS);
  run(OVER);
  pass();
  assert.deepEqual([syncsOfItsOwn(), waitsFor()], [1, undefined]);
  run(OVER);
  assert.equal(waitsFor(), SYNC_WITHIN_MS);
});

test("a sync of others is its own, too, if they changed anything: otherwise the database syncs nothing", () => {
  const { run, waitsFor, syncsOfItsOwn, pass } = world();
  run(OVER);
  run({ kind: "put", put }, 0);
  assert.equal(waitsFor(), SYNC_WITHIN_MS);
  run({ kind: "put", put });
  assert.equal(waitsFor(), undefined);
  pass();
  assert.equal(syncsOfItsOwn(), 0);
});

test("one that fails is no sync", () => {
  const { syncs, run, waitsFor } = world();
  run(OVER);
  syncs.before([{ kind: "put", put }]);
  assert.equal(waitsFor(), SYNC_WITHIN_MS);
});

test("nothing is waited for behind the end", () => {
  const { syncs, run, waitsFor } = world();
  run(OVER);
  syncs.close();
  assert.equal(waitsFor(), undefined);
});
