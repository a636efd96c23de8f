import assert from "node:assert/strict";
import { test } from "node:test";
import type { Events } from "../on-behalf.ts";
import { SITE_LIMITS, type Site } from "../site.ts";
import { createMemoryStore } from "../testing/memory-store.ts";
import { createEvents } from "./events.ts";

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
  return { store, clock, events: createEvents(store, () => clock.now) };
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

test("one that is never stored holds nothing back for longer than ten seconds", async () => {
  const { store, clock, events } = scene();
  events.fact("cards", "message.queued", NOW, { n: 1 });
  store.put([events.fact("cards", "message.queued", NOW, { n: 2 })]);
  assert.deepEqual((await numbers(events)).numbers, []);
  clock.now += 11;
  assert.deepEqual((await numbers(events)).numbers, [2]);
});

test("after a restart within the same second, and with a clock that is set back, what is new is behind what was read", async () => {
  const { store, clock, events } = scene();
  for (let n = 0; n < 5; n++) store.put([events.fact("cards", "message.queued", NOW, { n })]);
  const { next } = await numbers(events);
  const again = createEvents(store, () => clock.now);
  // Another second, as long as this run lasts: what an earlier run wrote in this one is before it.
  clock.now += 1;
  store.put([again.fact("cards", "message.queued", clock.now, { n: 5 })]);
  store.put([again.fact("cards", "message.queued", NOW - 1000, { n: 6 })]);
  assert.deepEqual((await numbers(again, next)).numbers, [5, 6]);
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
