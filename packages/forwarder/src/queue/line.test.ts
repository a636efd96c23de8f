import assert from "node:assert/strict";
import { test } from "node:test";
import { createLine, type Line, type LineLimits } from "./line.ts";
import { createSlots } from "./slots.ts";

interface Scene {
  readonly line: Line;
  /** Jobs that have had their turn, in its order. */
  readonly turns: readonly string[];
  /** Domains whose places were given back. */
  readonly freed: readonly string[];
  /** Puts one in, and notes its turn. */
  add(domain: string, id: string, octets?: number): void;
  /** A job is over. */
  over(domain: string): Promise<void>;
  settled(): Promise<void>;
}

/** All slots are taken by others. */
function scene(domains: readonly string[], limits: Partial<LineLimits> = {}): Scene {
  const slots = createSlots({ total: domains.length, perDomain: 1 });
  for (const domain of domains) assert.ok(slots.take(domain));
  const turns: string[] = [];
  const freed: string[] = [];
  const line = createLine(slots, { jobs: 100, octets: 1000, busyFrom: 2, ...limits }, (domain) => {
    freed.push(domain);
  });
  const settled = async (): Promise<void> => {
    for (let at = 0; at < 3; at++) await Promise.resolve();
  };
  return {
    line,
    turns,
    freed,
    settled,
    add(domain, id, octets = 1) {
      const place = line.reserve(domain, octets);
      assert.ok(place, `no place for ${id}`);
      void place.turn(id).then((turn) => turns.push(turn === "slot" ? id : `${turn}: ${id}`));
    },
    async over(domain) {
      slots.give(domain);
      line.pump();
      await settled();
    },
  };
}

test("of a domain the oldest is first", async () => {
  const { add, over, turns, line } = scene(["a.test"]);
  for (const id of ["1", "2", "3"]) add("A.test", id);
  assert.equal(line.length("a.TEST"), 3);
  await over("a.test");
  assert.deepEqual(turns, ["1"]);
  await over("a.test");
  assert.deepEqual([turns, line.length("a.test")], [["1", "2"], 1]);
});

test("a slot that is free already is taken at once", async () => {
  const { line, add, over, settled, turns } = scene(["a.test"]);
  await over("a.test");
  add("b.test", "1");
  await settled();
  assert.deepEqual([turns, line.length("b.test")], [["1"], 0]);
});

test("domains have their turns, and one without a slot holds up nobody", async () => {
  const { add, over, turns, freed } = scene(["slow.test", "x.test", "y.test"]);
  for (const id of ["1", "2"]) {
    add("slow.test", `slow ${id}`);
    add("b.test", `b ${id}`);
    add("c.test", `c ${id}`);
  }
  // One of each domain at a time.
  await over("x.test");
  await over("y.test");
  await over("b.test");
  await over("c.test");
  assert.deepEqual(turns, ["b 1", "c 1", "b 2", "c 2"]);
  assert.deepEqual(freed, ["b.test", "c.test", "b.test", "c.test"]);
});

test("there is room for so many jobs and octets, and no domain has more than half of either", () => {
  const jobs = scene(["a.test"], { jobs: 4 });
  jobs.add("b.test", "1");
  jobs.add("b.test", "2");
  assert.equal(jobs.line.reserve("b.test", 1), undefined);
  jobs.add("c.test", "3");
  jobs.add("d.test", "4");
  assert.equal(jobs.line.room(), 0);
  assert.equal(jobs.line.reserve("e.test", 1), undefined);

  const octets = scene(["a.test"], { octets: 100 });
  octets.add("b.test", "1", 50);
  assert.equal(octets.line.reserve("b.test", 1), undefined);
  octets.add("c.test", "2", 50);
  assert.equal(octets.line.reserve("d.test", 1), undefined);
  assert.equal(octets.line.room(), 0);
});

test("what was claimed has a place, room or not", async () => {
  const { line, over, turns } = scene(["a.test"], { jobs: 1 });
  for (const id of ["1", "2", "3"])
    void line
      .join("a.test", 1)
      .turn(id)
      .then((turn) => turns.concat(turn));
  assert.deepEqual([line.length("a.test"), line.room()], [3, 0]);
  await over("a.test");
  assert.equal(line.length("a.test"), 2);
});

test("a place that nobody uses is free for another", () => {
  const { line } = scene(["a.test"], { jobs: 2, octets: 20 });
  const place = line.reserve("a.test", 10);
  assert.equal(line.reserve("a.test", 1), undefined);
  place?.cancel();
  assert.deepEqual([line.length("a.test"), line.room()], [0, 2]);
  assert.ok(line.reserve("a.test", 10));
});

test("a domain with so many places is busy, taken up or not", () => {
  const { line, add } = scene(["a.test"]);
  line.reserve("a.test", 1);
  assert.deepEqual(line.busy(), []);
  add("A.test", "1");
  assert.deepEqual(line.busy(), ["a.test"]);
});

test("a domain with a quarter of all octets is busy, and whoever has a place is in the line", () => {
  const { line } = scene(["a.test"], { octets: 100 });
  line.join("a.test", 24);
  line.join("b.test", 25);
  assert.deepEqual([line.busy(), line.domains()], [["b.test"], ["a.test", "b.test"]]);
});

test("what is dropped, and what waits at the end, is gone, and takes no slot", async () => {
  const { line, add, over, settled, turns, freed } = scene(["a.test"]);
  for (const id of ["1", "2", "3"]) add("a.test", id);
  add("b.test", "2");
  line.drop("2");
  await settled();
  assert.deepEqual(turns.toSorted(), ["gone: 2", "gone: 2"]);
  await over("a.test");
  assert.deepEqual(turns.at(-1), "1");
  const reserved = line.reserve("a.test", 1);
  line.close();
  void reserved?.turn("4").then((turn) => assert.equal(turn, "gone"));
  await settled();
  assert.deepEqual(turns.at(-1), "gone: 3");
  assert.equal(line.reserve("c.test", 1), undefined);
  assert.deepEqual([freed.toSorted(), line.length("a.test")], [["a.test", "a.test", "b.test"], 0]);
});
