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
  { kind: "retry", lease, deferral: [], dsn: put },
  { kind: "note", note, now: 1 },
  { kind: "change-notes", notes },
  { kind: "take-note", of: "late", key: "a", now: 1 },
  { kind: "drop", id: "a" },
  { kind: "retry-now", id: "a", now: 1 },
];
const NOT_RELIED: readonly Operation[] = [
  OVER,
  { kind: "retry", lease, deferral: [] },
  { kind: "claim", now: 1, leaseUntil: 2, limit: 1, leaveOut: [] },
  { kind: "forget", message: 2 },
  { kind: "next-due" },
  { kind: "find-note", of: "late", key: "a", now: 1 },
];

/** What is said to the database, and the time that `pass` lets go by. */
function world() {
  const said: string[] = [];
  let due: { readonly call: () => void; readonly ms: number } | undefined;
  const syncs = createSyncs({ exec: (words) => void said.push(words) }, (call, ms) => {
    assert.equal(due, undefined, "one call at a time");
    due = { call, ms };
    return () => {
      due = undefined;
    };
  });
  return {
    syncs,
    waitsFor: () => due?.ms,
    pass() {
      due?.call();
      due = undefined;
    },
    said: () => said.splice(0),
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

test("the end of a recipient, a deferral, a lease wait for the sync of others", () => {
  for (const operation of NOT_RELIED) {
    const { syncs, said } = world();
    syncs.before([operation]);
    assert.deepEqual(said(), [NORMAL], operation.kind);
    syncs.before([operation]);
    assert.deepEqual(said(), [], "it is that already");
  }
});

test("they do not wait long: then the next transaction is synced, whatever it is", () => {
  const { syncs, said, pass, waitsFor } = world();
  syncs.before([OVER]);
  assert.equal(waitsFor(), SYNC_WITHIN_MS);
  syncs.before([OVER]);
  said();
  pass();
  syncs.before([OVER]);
  assert.deepEqual(said(), [FULL]);
  assert.equal(waitsFor(), undefined, "nothing waits any more");
  syncs.before([OVER]);
  assert.deepEqual([said(), waitsFor()], [[NORMAL], SYNC_WITHIN_MS]);
});

test("a sync of others is theirs, too: the time begins anew", () => {
  const { syncs, said, waitsFor } = world();
  syncs.before([OVER]);
  syncs.before([{ kind: "put", put }]);
  assert.equal(waitsFor(), undefined);
  said();
  syncs.before([OVER]);
  assert.deepEqual([said(), waitsFor()], [[NORMAL], SYNC_WITHIN_MS]);
});

test("nothing is waited for behind the end", () => {
  const { syncs, waitsFor } = world();
  syncs.before([OVER]);
  syncs.close();
  assert.equal(waitsFor(), undefined);
});
