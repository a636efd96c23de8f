import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type KeptSenders, type KeptSendersOptions, openKeptSenders } from "./kept-senders.ts";
import { type OpenSpool, openSpool } from "./open-spool.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { T0 } from "./testing/messages.ts";

const DAY = 86_400;
const BOB = { localPart: "b".repeat(60), domain: "origin.example" };
const EVE = { localPart: "e".repeat(60), domain: "origin.example" };
const OPTIONS = { maxAgeDays: 21 };

/** Opens the spool, and each time the same one again. */
async function place(t: TestContext) {
  const folder = await temporaryFolder(t);
  let spool: OpenSpool | undefined;
  t.after(() => spool?.close());
  return async (): Promise<OpenSpool> => {
    await spool?.close();
    spool = await openSpool({ folder });
    return spool;
  };
}

async function opened(t: TestContext, options: Partial<KeptSendersOptions> = {}): Promise<KeptSenders> {
  const spool = await (await place(t))();
  return await openKeptSenders(spool.notes, { ...OPTIONS, ...options });
}

/** Of each token another sender. */
function keepsOf(kept: KeptSenders) {
  return (client: string | undefined, token: string, now = T0): boolean | "no-room" =>
    kept.onBehalfOf(client, now, () => kept.store.keep(token, { ...BOB, localPart: token }));
}

test("a kept sender is found under its token, after a restart too, until its address has expired", async (t) => {
  const open = await place(t);
  const before = await openKeptSenders((await open()).notes, OPTIONS);
  assert.equal(
    before.onBehalfOf("192.0.2.1", T0, () => before.store.keep("token", BOB)),
    true,
  );
  assert.equal(await before.durable(), true);
  const after = await openKeptSenders((await open()).notes, OPTIONS);
  assert.deepEqual(after.store.find("token"), BOB);
  assert.equal(after.store.find("other"), undefined);
  after.onBehalfOf("192.0.2.1", T0 + 24 * DAY, () => after.store.keep("other", EVE));
  assert.equal(after.store.find("token"), undefined);
});

test("after a restart the first to expire goes first, whatever its token", async (t) => {
  const open = await place(t);
  const before = await openKeptSenders((await open()).notes, OPTIONS);
  keepsOf(before)("192.0.2.1", "z");
  keepsOf(before)("192.0.2.1", "a", T0 + 5 * DAY);
  await before.durable();
  const after = await openKeptSenders((await open()).notes, OPTIONS);
  keepsOf(after)("192.0.2.1", "new", T0 + 24 * DAY);
  assert.deepEqual([after.store.find("z"), after.store.find("a")?.localPart], [undefined, "a"]);
});

test("a token is its first sender's, in any case of the domain; for another there never is room", async (t) => {
  const kept = await opened(t);
  const keep = (sender: typeof BOB): boolean | "no-room" =>
    kept.onBehalfOf("192.0.2.1", T0, () => kept.store.keep("token", sender));
  assert.deepEqual([keep(BOB), keep({ ...BOB, domain: "ORIGIN.example" }), keep(EVE)], [true, true, false]);
});

test("while half of the room is free a lone network has no quota; from then on it has, and others find room", async (t) => {
  const keep = keepsOf(await opened(t, { maxSenders: 8, maxSendersOfNetwork: 2 }));
  const [one, other] = ["192.0.2.1", "198.51.100.1"];
  assert.deepEqual(
    ["1", "2", "3", "4", "5", "1"].map((token) => keep(one, token)),
    [true, true, true, true, "no-room", true],
  );
  assert.deepEqual(
    ["6", "7", "8"].map((token) => keep(other, token)),
    [true, true, "no-room"],
  );
});

test("where no room is left nobody new is kept, with a quota or without, until others have expired", async (t) => {
  const kept = await opened(t, { maxSenders: 2, maxSendersOfNetwork: 2 });
  const keep = keepsOf(kept);
  assert.deepEqual([keep(undefined, "1"), keep("192.0.2.1", "2")], [true, true]);
  assert.deepEqual([keep(undefined, "3"), keep("198.51.100.1", "3")], ["no-room", "no-room"]);
  assert.equal(keep(undefined, "1", T0 + 10 * DAY), true);
  assert.equal(await kept.durable(), true);
  // Renewed: it outlives the one that was kept on the same day.
  assert.deepEqual(
    [keep(undefined, "3", T0 + 24 * DAY), keep(undefined, "4", T0 + 24 * DAY)],
    [true, "no-room"],
  );
  assert.ok(kept.store.find("1"));
  assert.equal(kept.store.find("2"), undefined);
});

test("the /64s of an IPv6 /48 have one quota, and so have the addresses of an IPv4 /24", async (t) => {
  for (const [one, neighbour, stranger] of [
    ["2001:db8:1:2::3", "2001:db8:1:4::/64", "2001:db8:2::1"],
    ["192.0.2.1", "192.0.2.9", "192.0.3.1"],
  ] as const) {
    const keep = keepsOf(await opened(t, { maxSenders: 6, maxSendersOfNetwork: 3 }));
    assert.deepEqual([keep(one, "1"), keep(one, "2"), keep(neighbour, "3")], [true, true, true]);
    assert.deepEqual(
      [keep(neighbour, "4"), keep(one, "4"), keep(stranger, "4")],
      ["no-room", "no-room", true],
    );
  }
});

test("a sender that an earlier version kept for an IPv6 /64 counts for the quota of its /48", async (t) => {
  const { notes } = await (await place(t))();
  for (const site of ["2", "4", "5"]) {
    const value = JSON.stringify([`2001:db8:1:${site}::/64`, site, "origin.example"]);
    await notes.write({ of: "sender", key: site, value, expires: T0 + DAY }, T0);
  }
  const keep = keepsOf(await openKeptSenders(notes, { ...OPTIONS, maxSenders: 6, maxSendersOfNetwork: 3 }));
  assert.deepEqual([keep("2001:db8:1:6::1", "6"), keep("2001:db8:2::1", "6")], ["no-room", true]);
});

test("the alarm comes once when nine tenths are there, and again when it was calm in between", async (t) => {
  const alarms: unknown[] = [];
  const keep = keepsOf(await opened(t, { maxSenders: 10, alarm: (alarm) => alarms.push(alarm) }));
  const fill = (tokens: string, now: number): void => {
    for (const token of tokens) keep("192.0.2.1", token, now);
  };
  fill("12345678", T0);
  assert.deepEqual(alarms, []);
  fill("90x", T0);
  assert.deepEqual(alarms, [{ kept: 9, room: 10 }]);
  fill("abcdefghi", T0 + 24 * DAY);
  assert.deepEqual(alarms.slice(1), [{ kept: 9, room: 10 }]);
});

test("outside of a client's transaction nothing is kept", async (t) => {
  const kept = await opened(t);
  assert.equal(kept.store.keep("token", BOB), false);
});

test("a sender that did not reach the disk is not durable, and not kept", async (t) => {
  const spool = await (await place(t))();
  const kept = await openKeptSenders(spool.notes, OPTIONS);
  await spool.close();
  kept.onBehalfOf("192.0.2.1", T0, () => kept.store.keep("token", BOB));
  assert.equal(await kept.durable(), false);
  assert.equal(kept.store.find("token"), undefined);
});

test("a renewal that did not reach the disk leaves what is there, and the next mail tries again", async (t) => {
  const spool = await (await place(t))();
  const kept = await openKeptSenders(spool.notes, OPTIONS);
  const keep = (now: number): boolean | "no-room" =>
    kept.onBehalfOf("192.0.2.1", now, () => kept.store.keep("token", BOB));
  keep(T0);
  assert.equal(await kept.durable(), true);
  await spool.close();
  for (const days of [2, 3]) {
    assert.equal(keep(T0 + days * DAY), true);
    assert.deepEqual(kept.store.find("token"), BOB);
    assert.equal(await kept.durable(), false);
    assert.deepEqual(kept.store.find("token"), BOB);
  }
});
