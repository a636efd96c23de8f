// Late successes and kept senders, over restarts of the spool.
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { openKeptSenders } from "./kept-senders.ts";
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

const BOB = { localPart: "b".repeat(60), domain: "origin.example" };
const EVE = { localPart: "e".repeat(60), domain: "origin.example" };
const OPTIONS = { maxAgeDays: 21 };

test("a kept sender is found under its token, after a restart too, until its address has expired", async (t) => {
  const open = await place(t);
  const before = await openKeptSenders(await open(), OPTIONS);
  assert.equal(
    before.onBehalfOf("192.0.2", T0, () => before.store.keep("token", BOB)),
    true,
  );
  assert.equal(await before.durable(), true);
  const after = await openKeptSenders(await open(), OPTIONS);
  assert.deepEqual(after.store.find("token"), BOB);
  assert.equal(after.store.find("other"), undefined);
  after.onBehalfOf("192.0.2", T0 + 24 * DAY, () => after.store.keep("other", EVE));
  assert.equal(after.store.find("token"), undefined);
});

test("a token is its first sender's, in any case of the domain", async (t) => {
  const kept = await openKeptSenders(await (await place(t))(), OPTIONS);
  const keep = (sender: typeof BOB): boolean =>
    kept.onBehalfOf("192.0.2", T0, () => kept.store.keep("token", sender));
  assert.deepEqual([keep(BOB), keep({ ...BOB, domain: "ORIGIN.example" }), keep(EVE)], [true, true, false]);
});

test("a client's quota, and the room for all, refuse new senders and renew old ones", async (t) => {
  const kept = await openKeptSenders(await (await place(t))(), {
    ...OPTIONS,
    maxSenders: 3,
    maxSendersOfClient: 2,
  });
  const keep = (client: string, token: string, now = T0): boolean =>
    kept.onBehalfOf(client, now, () => kept.store.keep(token, { ...BOB, localPart: token }));
  assert.deepEqual(
    [keep("a", "1"), keep("a", "2"), keep("a", "3"), keep("a", "1")],
    [true, true, false, true],
  );
  assert.deepEqual([keep("b", "4"), keep("c", "5"), keep("c", "4")], [true, false, true]);
  assert.equal(keep("a", "1", T0 + 10 * DAY), true);
  // Renewed: it outlives those that were kept on the same day.
  assert.deepEqual([keep("c", "5", T0 + 24 * DAY), keep("a", "6", T0 + 24 * DAY)], [true, true]);
  assert.ok(kept.store.find("1"));
  assert.equal(kept.store.find("2"), undefined);
});

test("outside of a client's transaction nothing is kept", async (t) => {
  const kept = await openKeptSenders(await (await place(t))(), OPTIONS);
  assert.equal(kept.store.keep("token", BOB), false);
});

test("a sender that did not reach the disk is not durable, and not kept", async (t) => {
  const spool = await openSpool({ folder: await temporaryFolder(t) });
  const kept = await openKeptSenders(spool.notes, OPTIONS);
  await spool.close();
  kept.onBehalfOf("192.0.2", T0, () => kept.store.keep("token", BOB));
  assert.equal(await kept.durable(), false);
  assert.equal(kept.store.find("token"), undefined);
});
