// The parts of bench:mta that only compute: counters of smtp-sink, medians and ratios, names of cells, the report.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CELLS, cellName, cellTitle, namesMeant } from "../mta/cells.ts";
import { messagesCounted } from "../mta/counters.ts";
import { parseOptions } from "../mta/options.ts";
import { renderReport } from "../mta/report.ts";
import type { CellRun, Results } from "../mta/results.ts";
import { quantile, ratiosInRounds, spreadOf } from "../mta/statistics.ts";
import { unitEnvironment } from "../mta/unit-environment.ts";

const printed: readonly [what: string, printed: string, messages: number | undefined][] = [
  ["nothing yet", "", undefined],
  ["half an update", "sess=1 quit=0 me", undefined],
  ["an update whose number may go on", "sess=1 quit=0 mesg=1", undefined],
  ["one update", "sess=1 quit=0 mesg=12\r", 12],
  ["the last of two", "sess=1 quit=0 mesg=12\rsess=1 quit=1 mesg=13\r", 13],
  ["one, and the beginning of another", "sess=1 quit=0 mesg=12\rsess=1 quit=1 mesg=1", 12],
  ["one whose beginning was cut off", "uit=0 mesg=11\rsess=1 quit=0 mesg=12\r", 12],
];

for (const [what, text, messages] of printed) {
  test(`smtp-sink has printed ${what}`, () => assert.equal(messagesCounted(text), messages));
}

const spreads: readonly [values: readonly number[], spread: readonly number[] | undefined][] = [
  [[], undefined],
  [[Number.NaN], undefined],
  [[7], [7, 7, 7]],
  [
    [10, 9, 100],
    [9, 10, 100],
  ],
  [
    [4, 1, 3, 2],
    [1, 2.5, 4],
  ],
];

for (const [values, expected] of spreads) {
  test(`lowest, median and highest of [${values}] are [${expected}]`, () => {
    const spread = spreadOf(values);
    assert.deepEqual(spread && [spread.lowest, spread.median, spread.highest], expected);
  });
}

test("Homing has the memory settings of its unit", () => {
  assert.deepEqual(Object.keys(unitEnvironment()), [
    "MALLOC_ARENA_MAX",
    "MALLOC_TRIM_THRESHOLD_",
    "MALLOC_MMAP_THRESHOLD_",
  ]);
});

test("p50 and p99 of 200 values are the 100th and the 198th", () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index);
  assert.deepEqual(
    [quantile(values, 0.5), quantile(values, 0.99), quantile([], 0.5)],
    [100, 198, Number.NaN],
  );
});

test("ratios are made within each round, and a round that the base lacks makes none", () => {
  const own = [round(1, 20), round(2, 90), round(3, 40), round(4, 1)];
  const base = [round(1, 10), round(2, 30), round(3, 10), round(4, 0)];
  assert.deepEqual(ratiosInRounds(own, base), { lowest: 2, median: 3, highest: 4 });
  assert.equal(ratiosInRounds(own, []), undefined);
});

function round(number: number, value: number) {
  return { round: number, value };
}

test("every cell has a name of its own, and a title with its sessions", () => {
  assert.equal(new Set(CELLS.map(cellName)).size, 12);
  assert.deepEqual(CELLS.slice(0, 2).map(cellTitle), [
    "4 KB, many messages a connection, 1 session",
    "4 KB, many messages a connection, 10 sessions",
  ]);
});

test("a word means the cell of that name, or those whose names begin with it", () => {
  assert.deepEqual(namesMeant("4k-many-1"), ["4k-many-1"]);
  assert.deepEqual(namesMeant("100k-one"), ["100k-one-1", "100k-one-10", "100k-one-50"]);
  assert.deepEqual(namesMeant("latency"), ["latency"]);
  assert.equal(namesMeant("4"), undefined);
});

const wrong: readonly [args: readonly string[], say: RegExp][] = [
  [["--rounds", "2.5"], /^bench:mta: --rounds 2\.5: is no whole number from 1 to 100\n$/],
  [["--seconds", "x"], /--seconds x: is no number/],
  [["--only", "exim"], /--only exim: no such peer: postfix-postsrsd, homing-durable/],
  [["--cells", "4k,5k"], /--cells 5k: no such cell/],
  [["--fast"], /--fast/],
];

for (const [args, say] of wrong) {
  test(`options [${args}] are refused`, () => {
    const parsed = parseOptions(args);
    assert.ok(!parsed.ok);
    assert.equal(parsed.exitCode, 64);
    assert.match(parsed.say, say);
  });
}

test("the report has medians, ratios within rounds and a mark where messages were missing", () => {
  const runs = [1, 2, 3].flatMap((number) => [
    run("postfix-postsrsd", number, { perSecond: 100 * number, cpuPer1000: 2 }),
    run("homing-in-session", number, { perSecond: 400 * number, cpuPer1000: 0.5, arrived: number }),
  ]);
  const text = renderReport({ ...RESULTS, runs });
  assert.match(text, /^postfix-postsrsd +200 \(100-300\) +1\.00 /m);
  assert.match(text, /^homing-in-session +~800 \(400-1200\) +4\.00 +- +0\.500 +0\.25 +0\.100 +90 +80 +1$/m);
  assert.match(text, /^4k-many-10 +~4\.00 +0\.25$/m);
  assert.match(text, /^postfix-postsrsd: Postfix 3\.7; homing-in-session: Homing 1$/m);
  assert.match(text, /^left out: haraka: no npm$/m);
  assert.ok(!text.includes("durable: every"), "a mode that did not run has no table");
});

const RESULTS: Results = {
  machine: { processor: "P", cores: 2, memoryGB: 8, kernel: "6", node: "v24", disk: "ext4", loadAverage: 0 },
  method: "cgroup",
  rounds: 3,
  seconds: 1,
  peers: ["postfix-postsrsd", "homing-in-session"],
  versions: { "postfix-postsrsd": "Postfix 3.7", "homing-in-session": "Homing 1" },
  leftOut: [{ peer: "haraka", reason: "no npm" }],
  runs: [],
  latencies: [],
};

function run(peer: CellRun["peer"], number: number, figures: Partial<CellRun>): CellRun {
  return {
    ...{ peer, round: number, cell: "4k-many-10", offered: 3, arrived: 3, perSecond: 0, cpuPer1000: 0 },
    loadCpuPer1000: 0.1,
    ...{ acceptedPerSecond: undefined, rssMB: 90, pssMB: 80, processes: 1, others: 0, complaint: "" },
    ...figures,
  };
}
