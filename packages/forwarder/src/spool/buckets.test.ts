// Buckets in a spool: what is decided is stored with its DSN or not at all, over restarts, and told in one notice.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { BOUNCE_LIMITS, type BucketLimits } from "@homing/bounce-handler";
import fc from "fast-check";
import { type Buckets, createBuckets } from "./buckets.ts";
import { type OpenSpool, openSpool } from "./open-spool.ts";
import { claimAll, ids, lease, message, recipient, T0 } from "./testing/messages.ts";

const HOUR = 3600;
const OPTIONS = { sort: "test", limits: BOUNCE_LIMITS, lifeSeconds: 23 * 86_400 };

/** A spool with buckets; `notices` is what was told, as texts. */
class Place {
  readonly #folder: string;
  readonly #limits: BucketLimits;
  spool!: OpenSpool;
  buckets!: Buckets;
  readonly notices: string[][] = [];
  #messages = 0;

  constructor(folder: string, limits: BucketLimits) {
    this.#folder = folder;
    this.#limits = limits;
  }

  async open(): Promise<void> {
    this.spool = await openSpool({ folder: this.#folder, minFreeOctets: 0 });
    this.buckets = createBuckets(this.spool.notes, { ...OPTIONS, limits: this.#limits });
  }

  /** A DSN under the Message-ID as queue id, or folded. */
  spend(key: string, messageId: string, now: number): Promise<"tell" | "fold" | "not-stored" | "away"> {
    return this.buckets.spend({ key, about: `to ${key}`, messageId }, now, async (decision, notes) => {
      const isStored =
        decision === "fold"
          ? await this.spool.notes.change(notes)
          : (await this.spool.put(message(messageId), { notes })).kind === "stored";
      return isStored ? decision : "not-stored";
    });
  }

  tellDue(now: number): Promise<number> {
    return this.buckets.tellDue(now, async ({ about, count, messageIds }, notes) => {
      const put = await this.spool.put(message(`notice${++this.#messages}`), { notes, waits: true });
      if (put.kind === "stored") this.notices.push([about, `${count}`, ...messageIds]);
      return put.kind === "stored";
    });
  }
}

async function place(t: TestContext, limits = BOUNCE_LIMITS): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const made = new Place(folder, limits);
  await made.open();
  t.after(async () => {
    await made.spool.close();
    await rm(folder, { recursive: true });
  });
  return made;
}

test("500 bounces at once for one key: 5 DSNs, and over a restart one notice with every other Message-ID", async (t) => {
  const at = await place(t);
  const all = Array.from({ length: 500 }, (_, nth) => `<${nth}@a>`);
  const kinds = await Promise.all(all.map((id) => at.spend("k", id, T0)));
  assert.deepEqual(await ids(at.spool), all.slice(0, 5));
  assert.equal(kinds.filter((kind) => kind === "fold").length, 495);
  await at.spool.close();
  await at.open();
  assert.equal(await at.buckets.nextDue(T0), T0 + HOUR);
  assert.equal(await at.tellDue(T0 + HOUR - 1), 0);
  assert.equal(await at.tellDue(T0 + HOUR), 1);
  assert.deepEqual(at.notices, [["to k", "495", ...all.slice(5)]]);
  assert.equal(await at.tellDue(T0 + 2 * HOUR), 0);
  assert.equal(await at.buckets.nextDue(T0), undefined);
  assert.deepEqual(await ids(at.spool), [...all.slice(0, 5), "notice1"]);
  // Only the head is left, so that the 5 are not given again.
  assert.deepEqual(await noteSorts(at.spool), ["bucket-test"]);
  assert.equal(await at.spend("k", "later", T0 + 2 * HOUR), "fold");
});

test("a flood at one key costs no other its DSNs", async (t) => {
  const at = await place(t);
  const flood = Array.from({ length: 300 }, (_, nth) => at.spend("flooded", `f${nth}`, T0));
  const others = Array.from({ length: 300 }, (_, nth) => at.spend(`k${nth}`, `o${nth}`, T0));
  await Promise.all(flood);
  assert.deepEqual(new Set(await Promise.all(others)), new Set(["tell"]));
});

test("what is not stored spends nothing", async (t) => {
  const at = await place(t, { ...BOUNCE_LIMITS, atOnce: 1 });
  await at.spool.put(message("taken"));
  // Its id is another message's.
  assert.equal(await at.spend("k", "taken", T0), "not-stored");
  assert.equal(await at.spend("k", "first", T0), "tell");
  assert.equal(await at.buckets.spend(FAILURE, T0, async () => "nothing done"), "nothing done");
  assert.equal(await at.buckets.nextDue(T0), undefined);
  await assert.rejects(
    at.buckets.spend(FAILURE, T0, () => Promise.reject(new Error("a bug"))),
    /a bug/,
  );
  assert.equal(await at.spend("k", "second", T0), "fold");
});
const FAILURE = { key: "k", about: "", messageId: "<x@a>" };

test("a notice that is not stored is asked for again, with what came meanwhile", async (t) => {
  const at = await place(t, { ...BOUNCE_LIMITS, atOnce: 0 });
  await at.spend("k", "<1@a>", T0);
  assert.equal(await at.buckets.tellDue(T0 + HOUR, async () => false), 0);
  await at.spend("k", "<2@a>", T0 + HOUR);
  assert.equal(await at.tellDue(T0 + HOUR), 1);
  assert.deepEqual(at.notices, [["to k", "2", "<1@a>", "<2@a>"]]);
});

test("a final failure of our own is folded with its recipient, once, and not by an attempt that was fenced off", async (t) => {
  const at = await place(t, { ...BOUNCE_LIMITS, atOnce: 0 });
  const recipients = [recipient("a@home.example", { leasedUntil: T0 + 60 })];
  const first = lease(await at.spool.put(message("failed", { recipients })));
  const [second] = await claimAll(at.spool, T0 + 60);
  assert.ok(second);
  const fail = (one: typeof first) =>
    at.buckets.spend(FAILURE, T0, (_, notes) => at.spool.fail(one, undefined, notes));
  assert.deepEqual(
    [await fail(first), await fail(second.lease), await fail(second.lease)],
    [false, true, false],
  );
  assert.deepEqual(await ids(at.spool), []);
  assert.equal(await at.tellDue(T0 + HOUR), 1);
  assert.deepEqual(at.notices, [["", "1", "<x@a>"]]);
});

test("a clock that was a year ahead makes nobody wait a year, and forgets nothing that was folded", async (t) => {
  const at = await place(t, { ...BOUNCE_LIMITS, atOnce: 0 });
  await at.spend("before", "<1@a>", T0);
  await at.spend("ahead", "<2@a>", T0 + 365 * 86_400);
  assert.equal(await at.buckets.nextDue(T0), T0 + HOUR);
  assert.equal(await at.tellDue(T0), 1);
  assert.equal(await at.tellDue(T0 + HOUR), 1);
  assert.deepEqual(at.notices, [
    ["to ahead", "1", "<2@a>"],
    ["to before", "1", "<1@a>"],
  ]);
});

test("while a notice waits for the disk, whoever has another bounce of its key is not kept waiting", async (t) => {
  const at = await place(t, { ...BOUNCE_LIMITS, atOnce: 0 });
  await at.spend("k", "<1@a>", T0);
  const { promise: full, resolve: emptied } = Promise.withResolvers<boolean>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const telling = at.buckets.tellDue(T0 + HOUR, () => {
    begin();
    return full;
  });
  await begun;
  assert.equal(await at.spend("k", "<2@a>", T0 + HOUR), "away");
  assert.equal(await at.spend("other", "<3@a>", T0 + HOUR), "fold");
  emptied(false);
  assert.equal(await telling, 0);
  assert.equal(await at.spend("k", "<2@a>", T0 + HOUR), "fold");
});

test("while the storage is away a failure is neither told nor folded", async (t) => {
  const at = await place(t);
  assert.equal(await at.spend("k", "<1@a>", T0), "tell");
  await at.spool.close();
  assert.equal(await at.spend("k", "<2@a>", T0), "away");
  assert.equal(await at.spend("new", "<3@a>", T0), "not-stored", "nobody had to ask");
  await assert.rejects(at.tellDue(T0), /cannot be asked/);
  await assert.rejects(at.buckets.nextDue(T0), /cannot be asked/);
});

test("each failure is told by itself or in exactly one notice, over restarts and whatever the clock does", async () => {
  const step = fc.record({
    seconds: fc.oneof(fc.nat(600), fc.integer({ min: -2 * HOUR, max: 2 * HOUR }), fc.constantFrom(-1e8, 1e8)),
    key: fc.constantFrom("a", "b"),
    failures: fc.nat(8),
    afterwards: fc.constantFrom("nothing", "restart", "tell"),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 10 }), async (steps) => {
      const folder = await mkdtemp(join(tmpdir(), "homing-"));
      const at = new Place(folder, { ...BOUNCE_LIMITS, atOnce: 2 });
      await at.open();
      let now = T0 + 1e9;
      const all: string[] = [];
      for (const { seconds, key, failures, afterwards } of steps) {
        now += seconds;
        const some = Array.from({ length: failures }, (_, nth) => `<${all.length + nth}@a>`);
        all.push(...some);
        await Promise.all(some.map((id) => at.spend(key, id, now)));
        if (afterwards === "tell") await at.tellDue(now);
        if (afterwards !== "restart") continue;
        await at.spool.close();
        await at.open();
      }
      for (const later of [0, HOUR]) await at.tellDue(now + later);
      const told = (await ids(at.spool)).filter((id) => id.startsWith("<"));
      const listed = at.notices.flatMap(([, , ...messageIds]) => messageIds);
      for (const [, count, ...messageIds] of at.notices) assert.equal(Number(count), messageIds.length);
      assert.deepEqual([...told, ...listed].toSorted(), all.toSorted());
      await at.spool.close();
      await rm(folder, { recursive: true });
    }),
    { numRuns: 5 },
  );
});

async function noteSorts({ notes }: OpenSpool): Promise<string[]> {
  const sorts: string[] = [];
  for (const sort of ["bucket-test", "bucket-test-page", "bucket-test-due"])
    for await (const { of } of notes.all(sort)) sorts.push(of);
  return sorts;
}
