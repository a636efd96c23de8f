// Late successes over restarts of the spool, and that notes expire.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openLateSuccesses } from "./late-successes.ts";
import { type OpenSpool, openSpool } from "./open-spool.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { T0 } from "./testing/messages.ts";

const DAY = 86_400;

async function place(t: TestContext) {
  const folder = await temporaryFolder(t);
  let spool: OpenSpool | undefined;
  t.after(() => spool?.close());
  return async (): Promise<OpenSpool["notes"]> => {
    await spool?.close();
    spool = await openSpool({ folder });
    return spool.notes;
  };
}

test("a late success answers one retry, also after a restart", async (t) => {
  const open = await place(t);
  const before = await openLateSuccesses(await open(), () => T0);
  assert.equal(before.any(), false);
  await before.record("a");
  await before.record("b");
  assert.equal(await before.consume("a"), true);
  assert.equal(await before.consume("a"), false);
  assert.equal(await before.consume("c"), false);
  const after = await openLateSuccesses(await open(), () => T0 + 5 * DAY - 1);
  assert.equal(after.any(), true);
  assert.equal(await after.consume("a"), false);
  const both = await Promise.all([after.consume("b"), after.consume("b")]);
  assert.deepEqual(both, [true, false]);
  assert.equal(after.any(), false);
});

test("a late success is forgotten after five days, and the oldest where there are too many", async (t) => {
  const notes = await (await place(t))();
  let now = T0;
  const keys = await openLateSuccesses(notes, () => now, 2);
  for (const key of ["a", "b", "c"]) await keys.record(key);
  assert.equal(await keys.consume("a"), false);
  now += 5 * DAY;
  assert.equal(keys.any(), false);
  assert.equal(await keys.consume("b"), false);
  const again = await openLateSuccesses(notes, () => now);
  assert.equal(await again.consume("c"), false);
});

test("expired notes go as new ones come", async (t) => {
  const notes = await (await place(t))();
  for (let at = 0; at < 15; at++)
    await notes.write({ of: "x", key: `${at}`, value: "", expires: T0 + 1 }, T0);
  for (const key of ["new", "newer"]) await notes.write({ of: "x", key, value: "", expires: T0 + 9 }, T0 + 1);
  const keys: string[] = [];
  for await (const { key } of notes.all("x")) keys.push(key);
  assert.deepEqual(keys, ["new", "newer"]);
});
