// The database by itself: which notes are left when more come than may be there.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openDatabase } from "./database.ts";
import { NOTE_CAPS, type NoteCaps } from "./note-caps.ts";
import { createNoteStore, type NoteStore } from "./note-store.ts";
import { temporaryFolder } from "./testing/folder.ts";

const T0 = 1_800_000_000;
const DAY = 86_400;

async function open(t: TestContext) {
  const db = openDatabase(join(await temporaryFolder(t), "spool.db"));
  t.after(() => db.close());
  return {
    db,
    /** As after a restart. */
    notes: (caps: NoteCaps) => createNoteStore(db, caps),
    keys: (notes: NoteStore, sort: string) => notes.page(sort, "", 1_000_000).map(({ key }) => key),
  };
}

function write(notes: NoteStore, of: string, nth: number, key = `${nth}`.padStart(6, "0")): void {
  notes.change({ now: T0, write: [{ of, key, value: "", expires: T0 + DAY + nth }], remove: [] });
}

for (const oldestBy of ["key", "expires"] as const) {
  test(`beyond the cap the oldest go, by ${oldestBy}, and other sorts stay`, async (t) => {
    const { notes: notesOf, keys } = await open(t);
    const notes = notesOf({ capped: { most: 200, oldestBy } });
    for (let nth = 0; nth < 1000; nth++) {
      // By their ends, keys are in any order.
      const key = oldestBy === "key" ? undefined : `${(nth * 7919) % 1000}`.padStart(6, "0");
      write(notes, "capped", nth, key);
      write(notes, "free", nth);
    }
    const left = notes.page("capped", "", 1000).map(({ expires }) => expires - T0 - DAY);
    assert.ok(left.length >= 200 && left.length <= 202, `${left.length}`);
    assert.equal(Math.min(...left), 1000 - left.length);
    assert.equal(keys(notes, "free").length, 1000);
  });
}

test("a note over an older one of its key takes nobody's place", async (t) => {
  const { notes: notesOf, keys } = await open(t);
  const notes = notesOf({ capped: { most: 10, oldestBy: "key" } });
  for (let nth = 0; nth < 10; nth++) write(notes, "capped", nth);
  for (let nth = 0; nth < 100; nth++) write(notes, "capped", 9);
  assert.equal(keys(notes, "capped").length, 10);
});

test("what an earlier process left beyond the cap goes in steps, faster than new ones come", async (t) => {
  const { notes: notesOf, keys } = await open(t);
  const before = notesOf({});
  for (let nth = 0; nth < 400; nth++) write(before, "capped", nth);
  const notes = notesOf({ capped: { most: 200, oldestBy: "key" } });
  write(notes, "capped", 400);
  assert.equal(keys(notes, "capped").length, 397);
  for (let nth = 401; nth < 801; nth++) write(notes, "capped", nth);
  assert.ok(keys(notes, "capped").length <= 202);
});

test("events of failures and partial failures are capped, and at their cap nobody waits for long", async (t) => {
  const { db, notes: notesOf, keys } = await open(t);
  const notes = notesOf(NOTE_CAPS);
  for (const [sort, { most }] of Object.entries(NOTE_CAPS)) {
    db.exec("BEGIN");
    const insert = db.prepare("INSERT INTO notes (kind, key, value, expires) VALUES (?, ?, ?, ?)");
    const value = "x".repeat(200);
    for (let nth = 0; nth < most + 5; nth++)
      insert.run(sort, `${nth}`.padStart(12, "0"), value, T0 + DAY + nth);
    db.exec("COMMIT");
    const start = performance.now();
    write(notes, sort, most, "9");
    const took = performance.now() - start;
    assert.ok(took < 500, `${sort}: ${took} ms`);
    assert.equal(keys(notes, sort).length, most);
  }
  assert.deepEqual(Object.keys(NOTE_CAPS).sort(), ["failure", "partial-failure"]);
});
