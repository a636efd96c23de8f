import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  afterNotice,
  BOUNCE_LIMITS,
  type Bucket,
  type BucketLimits,
  isNoticeDue,
  OWN_FAILURE_LIMITS,
  PAGE_LENGTH,
  spend,
} from "./bucket.ts";
import { ownFailureKey, srsAddressKey } from "./bucket-key.ts";

const T0 = 1_800_000_000;
const HOUR = 3600;

/** A bucket with its pages, as a caller keeps them, through JSON each time. */
function keeper(limits: BucketLimits) {
  let kept: string | undefined;
  const pages = new Map<number, readonly string[]>();
  const bucket = (): Bucket | undefined => (kept === undefined ? undefined : JSON.parse(kept));
  return {
    spend(messageId: string, now: number) {
      const spent = spend(bucket(), messageId, now, limits);
      if (spent.kind === "fold" && spent.page) pages.set(spent.page.place, spent.page.messageIds);
      kept = JSON.stringify(spent.bucket);
      return spent.kind;
    },
    notice(now: number) {
      const folded = bucket()?.folded;
      if (!folded || !isNoticeDue(folded.due, now, limits)) return undefined;
      const listed = Array.from({ length: folded.pages }, (_, place) => pages.get(place) ?? []).flat();
      pages.clear();
      kept = JSON.stringify(afterNotice(bucket() as Bucket));
      return { count: folded.count, messageIds: [...listed, ...folded.tail] };
    },
    due: () => bucket()?.folded?.due,
    octets: () => kept?.length ?? 0,
  };
}

test("500 bounces to one SRS address: 5 are told at once, every other one by its Message-ID within the hour", () => {
  const kept = keeper(BOUNCE_LIMITS);
  const ids = Array.from({ length: 500 }, (_, nth) => `<${nth}@origin.example>`);
  const kinds = ids.map((id, nth) => kept.spend(id, T0 + nth));
  assert.deepEqual(kinds.lastIndexOf("tell"), 4);
  assert.equal(kept.due(), T0 + 5 + HOUR);
  assert.equal(kept.notice(T0 + 4 + HOUR), undefined);
  assert.deepEqual(kept.notice(T0 + 5 + HOUR), { count: 495, messageIds: ids.slice(5) });
  // For the rest of its life each further one is folded.
  assert.equal(kept.spend("<later@origin.example>", T0 + 20 * 86_400), "fold");
});

test("of our own failures 20 an hour are told at once", () => {
  const kept = keeper(OWN_FAILURE_LIMITS);
  const kinds = Array.from({ length: 25 }, (_, nth) => kept.spend(`<${nth}@origin.example>`, T0));
  assert.equal(kinds.filter((kind) => kind === "tell").length, 20);
  assert.equal(kept.spend("<next@origin.example>", T0 + HOUR - 1), "fold");
  assert.equal(kept.spend("<after@origin.example>", T0 + HOUR), "tell");
  assert.equal(kept.notice(T0 + HOUR)?.count, 6);
});

const unlisted: [what: string, messageId: string][] = [
  ["none", ""],
  ["a long one", `<${"x".repeat(200)}@origin.example>`],
  ["one with a line end", "<a@b>\r\nBcc: eve@example.org"],
  ["one with a blank", "<a b@c>"],
  ["one of UTF-8", "<\u00fc@origin.example>"],
];
for (const [what, messageId] of unlisted) {
  test(`a Message-ID that a notice cannot list is counted: ${what}`, () => {
    const kept = keeper({ ...BOUNCE_LIMITS, atOnce: 0 });
    kept.spend(messageId, T0);
    kept.spend("<good@origin.example>", T0);
    assert.deepEqual(kept.notice(T0 + HOUR), { count: 2, messageIds: ["<good@origin.example>"] });
  });
}

test("in a flood the list ends at its bound, the count does not, and the bucket stays small", () => {
  const kept = keeper(BOUNCE_LIMITS);
  let largest = 0;
  for (let nth = 0; nth < 5000; nth++) {
    kept.spend(`<${"x".repeat(180)}${nth}@a.example>`, T0);
    largest = Math.max(largest, kept.octets());
  }
  assert.ok(largest < PAGE_LENGTH * 210 + 200, `${largest}`);
  const notice = kept.notice(T0 + HOUR);
  assert.deepEqual([notice?.count, notice?.messageIds.length], [4995, 1000]);
});

test("where the clock was set back by a year, nobody waits a year", () => {
  const kept = keeper({ ...OWN_FAILURE_LIMITS, atOnce: 1 });
  for (const id of ["<1@a>", "<2@a>"]) kept.spend(id, T0);
  const before = T0 - 365 * 86_400;
  assert.deepEqual(kept.notice(before), { count: 1, messageIds: ["<2@a>"] });
  assert.equal(kept.spend("<3@a>", before), "fold");
  assert.equal(kept.spend("<4@a>", before + HOUR), "tell");
});

test("each failure is told by itself or in exactly one notice, whatever the clock does", () => {
  const limits = fc.record({
    atOnce: fc.nat(3),
    noticeSeconds: fc.constant(HOUR),
    maxListed: fc.constantFrom(0, 1, PAGE_LENGTH, PAGE_LENGTH + 1, 2 * PAGE_LENGTH, 1000),
  });
  const refill = fc.constantFrom({}, { refillSeconds: HOUR });
  /** A step of the clock, back too, and whether a notice is asked for before the failure. */
  const step = fc.tuple(
    fc.oneof(fc.nat(60), fc.integer({ min: -2 * HOUR, max: 2 * HOUR }), fc.constantFrom(-1e7, 1e7)),
    fc.boolean(),
  );
  fc.assert(
    fc.property(limits, refill, fc.array(step, { maxLength: 120 }), (some, more, steps) => {
      const kept = keeper({ ...some, ...more });
      let now = T0;
      const told: string[] = [];
      const listed: string[] = [];
      let counted = 0;
      const take = (): void => {
        const notice = kept.notice(now);
        if (!notice) return;
        assert.equal(notice.messageIds.length, Math.min(notice.count, some.maxListed));
        listed.push(...notice.messageIds);
        counted += notice.count;
      };
      for (const [nth, [seconds, asks]] of steps.entries()) {
        now += seconds;
        if (asks) take();
        if (kept.spend(`<${nth}@a>`, now) === "tell") told.push(`<${nth}@a>`);
      }
      // Nobody waits longer than an hour by the clock as it is now.
      take();
      now += HOUR;
      take();
      assert.equal(kept.due(), undefined);
      assert.equal(told.length + counted, steps.length);
      assert.equal(new Set([...told, ...listed]).size, told.length + listed.length);
      if (some.maxListed === 1000) assert.equal(told.length + listed.length, steps.length);
    }),
  );
});

test("one SRS address has one bucket in any case; sender, alias, day and SRS domain each make another", () => {
  const facts = {
    srsDomain: "fwd.example",
    sender: { localPart: "Bob", domain: "origin.example" },
    selector: "ipr35x",
    stamp: "G3",
  };
  const key = srsAddressKey(facts);
  const folded = { ...facts, stamp: "g3", sender: { localPart: "bOB", domain: "Origin.Example" } };
  assert.equal(srsAddressKey(folded), key);
  const others = [
    { ...facts, srsDomain: "other.example" },
    { ...facts, sender: { localPart: "bo", domain: "borigin.example" } },
    { ...facts, selector: "ipr35y" },
    { ...facts, selector: undefined },
    { ...facts, stamp: "G4" },
  ];
  assert.equal(new Set([key, ...others.map(srsAddressKey)]).size, 6);
  const [one, other] = [facts.sender, { localPart: "alice", domain: "fwd.example" }];
  assert.notEqual(ownFailureKey(one, other), ownFailureKey(other, one));
});
