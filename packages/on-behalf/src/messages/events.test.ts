import assert from "node:assert/strict";
import { test } from "node:test";
import type { Events } from "../on-behalf.ts";
import { SITE_LIMITS, type Site } from "../site.ts";
import { createMemoryStore, type MemoryStore } from "../testing/memory-store.ts";
import { withEvents } from "./event-store.ts";
import { createEvents, type EventLog } from "./events.ts";

const NOW = 1_800_000_000;
const CARDS: Site = {
  name: "cards",
  title: "Example Cards",
  from: { localPart: "cards", domain: "site.example" },
  fromMode: "auto",
  bounceDomain: "bounce.site.example",
  returnTo: { localPart: "bounces", domain: "site.example" },
  profiles: new Set(),
  returnUrls: [],
  limits: SITE_LIMITS,
  keys: [],
};

function scene() {
  const store = createMemoryStore();
  const clock = { now: NOW };
  return { store, clock, events: run(store, clock) };
}

/** The service, started on what an earlier run has left. */
function run(store: MemoryStore, clock: { readonly now: number }): EventLog {
  return createEvents({ store, sites: ["news", "cards"], now: () => clock.now });
}

async function numbers(
  events: Events,
  after?: string,
  site = CARDS,
): Promise<{ numbers: unknown[]; next: string }> {
  const listed = await events.list(site, after);
  assert.ok(listed.ok);
  return { numbers: listed.events.map(({ data }) => data.n), next: listed.next };
}

test("events are in the order in which they were made, page by page, each once, and of one site", async () => {
  const { store, clock, events } = scene();
  for (let n = 0; n < 25; n++) {
    if (n % 10 === 0) clock.now++;
    store.put([
      events.fact("cards", "message.queued", clock.now, { n }),
      events.fact("cards-2", "message.queued", clock.now, { n: -1 }),
    ]);
  }
  const seen: unknown[] = [];
  let after = "";
  for (let page = 0; page < 5; page++) {
    const listed = await events.list(CARDS, after, 6);
    assert.ok(listed.ok);
    seen.push(...listed.events.map(({ data }) => data.n));
    after = listed.next;
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, n) => n),
  );
  assert.deepEqual(await numbers(events, after), { numbers: [], next: after });
});

test("an event whose transaction is under way holds back those behind it: nobody reads past it", async () => {
  const { store, events } = scene();
  const first = events.fact("cards", "message.queued", NOW, { n: 1 });
  const slow = events.fact("cards", "message.queued", NOW, { n: 2 });
  const third = events.fact("cards", "message.queued", NOW, { n: 3 });
  store.put([first, third]);
  const before = await numbers(events);
  assert.deepEqual(before.numbers, [1]);
  store.put([slow]);
  assert.deepEqual((await numbers(events, before.next)).numbers, [2, 3]);
});

test("one that is never stored holds nothing back for longer than half a minute", async () => {
  const { store, clock, events } = scene();
  events.fact("cards", "message.queued", NOW, { n: 1 });
  store.put([events.fact("cards", "message.queued", NOW, { n: 2 })]);
  assert.deepEqual((await numbers(events)).numbers, []);
  clock.now += 31;
  assert.deepEqual((await numbers(events)).numbers, [2]);
});

for (const [when, seconds] of [
  ["within the same second", 0],
  ["with a clock that was set back an hour", -3600],
  ["a second later", 1],
] as const) {
  test(`after a restart ${when}, events overwrite none, and whoever reads on gets each`, async () => {
    const { store, clock, events } = scene();
    await events.begin();
    for (let n = 0; n < 5; n++) store.put([events.fact("cards", "message.queued", NOW, { n })]);
    store.put([events.fact("news", "message.queued", NOW, { n: -1 })]);
    const { numbers: first, next } = await numbers(events);
    clock.now += seconds;
    const again = run(store, clock);
    await again.begin();
    store.put([again.fact("cards", "message.queued", clock.now, { n: 5 })]);
    // While it runs the clock is set back further.
    store.put([again.fact("cards", "message.queued", clock.now - 1000, { n: 6 })]);
    assert.deepEqual((await numbers(again, next)).numbers, [5, 6]);
    assert.deepEqual([...first, 5, 6], [0, 1, 2, 3, 4, 5, 6]);
    assert.equal(store.facts("ob-event").length, 8);
  });
}

test("the storage says nothing before it is known where events begin; and while it is away, that is asked again", async () => {
  const { store, clock, events } = scene();
  for (let n = 0; n < 2; n++) store.put([events.fact("cards", "message.queued", NOW, { n })]);
  const again = run(store, clock);
  const over = withEvents(store, again);
  store.state = "away";
  assert.equal(await over.find({ of: "ob-count", key: "x" }, NOW), "away");
  store.state = "here";
  assert.equal(await over.find({ of: "ob-count", key: "x" }, NOW), undefined);
  await over.change({ now: NOW, write: [again.fact("cards", "message.queued", NOW, { n: 2 })] });
  assert.deepEqual((await numbers(again)).numbers, [0, 1, 2]);
});

test("a transaction that takes minutes holds back those behind it until it is over", async () => {
  for (const outcome of ["done", "conflict", "away"] as const) {
    const { store, clock, events } = scene();
    const end = Promise.withResolvers<void>();
    const slow = withEvents(
      {
        ...store,
        async change(changes) {
          await end.promise;
          if (outcome === "done") store.put(changes.write ?? []);
          return outcome;
        },
      },
      events,
    );
    const first = events.fact("cards", "message.queued", NOW, { n: 1 });
    const changing = slow.change({ now: NOW, write: [first] });
    store.put([events.fact("cards", "message.queued", NOW, { n: 2 })]);
    clock.now += 600;
    assert.deepEqual((await numbers(events)).numbers, [], outcome);
    end.resolve();
    await changing;
    const seen = { done: [1, 2], conflict: [2], away: [] }[outcome];
    assert.deepEqual((await numbers(events)).numbers, seen, outcome);
    // It may yet be stored: that is waited for, and not for ever.
    clock.now += 31;
    assert.equal((await numbers(events)).numbers.at(-1), 2, outcome);
  }
});

test("events are kept for 30 days", async () => {
  const { store, clock, events } = scene();
  store.put([events.fact("cards", "message.queued", NOW, { n: 1 })]);
  clock.now += 30 * 86_400 - 1;
  assert.deepEqual((await numbers(events)).numbers, [1]);
  clock.now += 1;
  assert.deepEqual((await numbers(events)).numbers, []);
});

test("what is the id of no event is refused", async () => {
  const { events } = scene();
  for (const after of ["x", "1", "000000000000-0000000", "\r\n", "001800000001-000001 "]) {
    const listed = await events.list(CARDS, after);
    assert.ok(!listed.ok);
    assert.deepEqual([listed.problem.type, listed.problem.field], ["invalid-field", "after"]);
  }
});

test("while the storage is away that is said", async () => {
  const { store, events } = scene();
  store.state = "away";
  const listed = await events.list(CARDS);
  assert.ok(!listed.ok && listed.problem.type === "unavailable");
});
