// Notes under a cap: what goes, what is known of it after a restart, and what a disk that is full or away changes.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type CappedNotes, createCappedNotes } from "./capped-notes.ts";
import type { Notes } from "./notes.ts";
import { type OpenSpool, openSpool } from "./open-spool.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { T0 } from "./testing/messages.ts";

const WEEK = 7 * 86_400;
/** With what a note takes beside it, 1,000. */
const VALUE = "x".repeat(700);
const CAP = { sort: "x", maxOctets: 500_000, lifeSeconds: WEEK };

async function place(t: TestContext) {
  const folder = await temporaryFolder(t);
  let spool: OpenSpool | undefined;
  t.after(() => spool?.close());
  return async (minFreeOctets = 0): Promise<Notes> => {
    await spool?.close();
    spool = await openSpool({ folder, minFreeOctets });
    return spool.notes;
  };
}

async function addAll(kept: CappedNotes, from: number, to: number, now = T0): Promise<void> {
  const keys = Array.from({ length: to - from }, (_, at) => `${from + at}`);
  const added = await Promise.all(keys.map((key) => kept.add(key, VALUE, now)));
  assert.ok(added.every(Boolean));
}

async function keysOf(notes: Notes, sort = "x"): Promise<readonly number[]> {
  const keys: number[] = [];
  for await (const { key } of notes.all(sort)) keys.push(Number(key));
  return keys.toSorted((a, b) => a - b);
}

test("what was added is found until its time is up", async (t) => {
  const kept = createCappedNotes(await (await place(t))(), CAP);
  await addAll(kept, 0, 2);
  const found = await kept.find("1", T0 + WEEK - 1);
  assert.ok(found && found !== "away");
  assert.equal(found.value, VALUE);
  assert.equal(await kept.find("1", T0 + WEEK), undefined);
  assert.equal(await kept.replace(found, "shorter", T0 + 9), true);
  assert.deepEqual(await kept.find("1", T0 + 9), { ...found, value: "shorter" });
});

test("beyond the cap the oldest go, in hundreds, and as many stay as fit", async (t) => {
  const notes = await (await place(t))();
  const kept = createCappedNotes(notes, CAP);
  for (let from = 0; from < 2000; from += 50) await addAll(kept, from, from + 50);
  const keys = await keysOf(notes);
  assert.equal(keys.at(-1), 1999);
  assert.ok(keys.length >= 400 && keys.length <= 550, `${keys.length} are there`);
  assert.deepEqual(
    keys,
    Array.from({ length: keys.length }, (_, at) => 2000 - keys.length + at),
  );
  assert.equal((await keysOf(notes, "x-place")).length, keys.length, "a place for each");
});

test("the cap holds over a restart, without reading what is kept", async (t) => {
  const open = await place(t);
  await addAll(createCappedNotes(await open(), CAP), 0, 499);
  const notes = await open();
  const asked: string[] = [];
  const watched: Notes = {
    ...notes,
    all(of, after) {
      asked.push(of);
      return notes.all(of, after);
    },
  };
  const kept = createCappedNotes(watched, CAP);
  for (let key = 499; key < 600; key++) await kept.add(`${key}`, VALUE, T0);
  const keys = await keysOf(notes);
  assert.deepEqual([keys[0], keys.length], [100, 500], "room was made once, for a hundred");
  assert.ok(asked.every((of) => of === "x-place"));
});

test("those that expired leave their room to new ones", async (t) => {
  const notes = await (await place(t))();
  const kept = createCappedNotes(notes, CAP);
  await addAll(kept, 0, 400);
  await addAll(kept, 400, 500, T0 + WEEK);
  await addAll(kept, 500, 600, T0 + WEEK);
  assert.deepEqual(
    await keysOf(notes),
    Array.from({ length: 200 }, (_, at) => 400 + at),
  );
  await addAll(kept, 600, 900, T0 + WEEK);
  assert.equal((await keysOf(notes))[0], 400, "nothing that lives went");
});

test("what is larger than the cap is not kept, and takes nothing with it", async (t) => {
  const notes = await (await place(t))();
  const kept = createCappedNotes(notes, { ...CAP, maxOctets: 2000 });
  await addAll(kept, 0, 1);
  assert.equal(await kept.add("large", "x".repeat(3000), T0), false);
  assert.deepEqual(await keysOf(notes), [0]);
});

test("on a disk that is nearly full nothing is added, and other notes are written all the same", async (t) => {
  const notes = await (await place(t))(Number.MAX_SAFE_INTEGER);
  const kept = createCappedNotes(notes, CAP);
  const other = { now: T0, write: [{ of: "y", key: "1", value: "", expires: T0 + 9 }], remove: [] };
  const both = await Promise.all([kept.add("1", VALUE, T0), notes.change(other)]);
  assert.deepEqual(both, [false, true]);
});

test("while the storage is away nothing is added and nothing is known", async (t) => {
  const folder = await temporaryFolder(t);
  const spool = await openSpool({ folder });
  const kept = createCappedNotes(spool.notes, CAP);
  await addAll(kept, 0, 1);
  await spool.close();
  assert.equal(await kept.add("2", VALUE, T0), false);
  assert.equal(await kept.find("1", T0), "away");
  assert.equal(await createCappedNotes(spool.notes, CAP).add("2", VALUE, T0), false);
});
