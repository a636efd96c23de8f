import assert from "node:assert/strict";
import { test } from "node:test";
import type { Note, NoteChanges } from "../spool/notes.ts";
import { createFakeClock } from "../testing/fake-clock.ts";
import { createRefusalLog, type Refusal } from "./refusal-log.ts";

const T0 = 1_800_000_000;
const REFUSAL: Refusal = {
  id: "m1",
  alias: { localPart: "alice", domain: "ours.test" },
  target: { localPart: "private", domain: "home.test" },
  enhanced: "5.1.1",
  class: "hard",
};

function scene() {
  const clock = createFakeClock();
  const written: NoteChanges[] = [];
  const rooms: (string | undefined)[] = [];
  const change = async (changes: NoteChanges, room?: string) => {
    rooms.push(room);
    return written.push(changes) > 0;
  };
  const log = createRefusalLog({
    notes: { change },
    clock,
    now: () => T0 + Math.floor(clock.now() / 1000),
  });
  return { clock, written, rooms, log };
}

function counts(notes: readonly Note[]): readonly number[] {
  return notes.map(({ value }) => (JSON.parse(value) as { count: number }).count);
}

test("a flood to one dead alias is one event a minute, with the last message's id", () => {
  const { clock, written, log } = scene();
  for (let nth = 0; nth < 5000; nth++) log.add({ ...REFUSAL, id: `m${nth}` });
  clock.advance(59_999);
  assert.equal(written.length, 0);
  clock.advance(1);
  const notes = written.flatMap(({ write }) => write);
  assert.equal(notes.length, 1);
  const [note] = notes;
  assert.deepEqual(JSON.parse(String(note?.value)), {
    ...{ at: T0, id: "m4999", alias: "alice@ours.test", destination: "private@home.test" },
    ...{ action: "failed", enhanced: "5.1.1", class: "hard", count: 5000, trustworthy: true },
  });
  clock.advance(600_000);
  assert.equal(written.length, 1, "nothing is written where nothing was refused");
  assert.equal(clock.timers, 0);
});

test("another alias, destination, status or class is another event, in the same second of the same message, too", () => {
  const { clock, written, log } = scene();
  const others: Partial<Refusal>[] = [
    {},
    { alias: { ...REFUSAL.alias, localPart: "carol" } },
    { target: { ...REFUSAL.target, localPart: "hidden" } },
    { enhanced: "5.7.1" },
    { class: "policy" },
  ];
  for (const other of [...others, ...others]) log.add({ ...REFUSAL, ...other });
  clock.advance(60_000);
  const notes = written[0]?.write ?? [];
  assert.deepEqual(counts(notes), [2, 2, 2, 2, 2]);
  assert.equal(new Set(notes.map(({ key }) => key)).size, others.length);
});

test("while the disk is nearly full mail goes before refusals", () => {
  const { clock, rooms, log } = scene();
  log.add(REFUSAL);
  clock.advance(60_000);
  assert.deepEqual(rooms, ["needs-room"]);
});

test("the first refusal after a writing begins the next minute", () => {
  const { clock, written, log } = scene();
  log.add(REFUSAL);
  clock.advance(60_000);
  clock.advance(30_000);
  log.add(REFUSAL);
  log.add(REFUSAL);
  clock.advance(59_000);
  assert.equal(written.length, 1);
  clock.advance(1000);
  assert.deepEqual(
    written.map(({ write }) => counts(write)),
    [[1], [2]],
  );
});

test("kinds of refusals are bounded, and those that are known are counted on", () => {
  const { clock, written, log } = scene();
  const kinds = Array.from({ length: 1100 }, (_, nth) => ({
    ...REFUSAL,
    target: { ...REFUSAL.target, localPart: `t${nth}` },
  }));
  for (const kind of kinds) log.add(kind);
  for (const kind of kinds.slice(0, 10)) log.add(kind);
  clock.advance(60_000);
  const notes = written[0]?.write ?? [];
  assert.equal(notes.length, 1000);
  assert.equal(counts(notes).filter((count) => count === 2).length, 10);
});

test("whoever ends it writes what was counted, and no timer is left", async () => {
  const { clock, written, log } = scene();
  await log.close();
  assert.equal(written.length, 0);
  log.add(REFUSAL);
  await log.close();
  assert.equal(written.length, 1);
  assert.equal(clock.timers, 0);
});
