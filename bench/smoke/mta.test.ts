// bench:mta: its parts that only compute (counters of smtp-sink, medians and ratios, names of cells, the report), and the
// whole in its shortest form, with bounces at all peers.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { storiesNeed } from "../../test/harness/availability.ts";
import { run as runCommand } from "../../test/harness/command.ts";
import { ALL_NAMES, BOUNCE_CELLS, bounceCellTitle, CELLS, cellTitle, namesMeant } from "../mta/cells.ts";
import { messagesCounted } from "../mta/counters.ts";
import { parseOptions } from "../mta/options.ts";
import { PROMISES } from "../mta/promises.ts";
import { renderReport } from "../mta/report.ts";
import type { CellRun, LatencyTurn, MtaResults } from "../mta/results.ts";
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
  // Twelve of mail, light load, two of bounces.
  assert.equal(new Set(ALL_NAMES).size, 15);
  assert.deepEqual(CELLS.slice(0, 2).map(cellTitle), [
    "4 KB, many messages a connection, 1 session",
    "4 KB, many messages a connection, 10 sessions",
  ]);
  assert.deepEqual(BOUNCE_CELLS.map(bounceCellTitle), [
    "bounces of 4 KB, one message a connection, 10 sessions",
    "bounces of 4 KB, one message a connection, 50 sessions",
  ]);
});

test("a word means the cell of that name, or those whose names begin with it", () => {
  assert.deepEqual(namesMeant("4k-many-1"), ["4k-many-1"]);
  assert.deepEqual(namesMeant("100k-one"), ["100k-one-1", "100k-one-10", "100k-one-50"]);
  assert.deepEqual(namesMeant("latency"), ["latency"]);
  assert.deepEqual(namesMeant("bounces"), ["bounces-one-10", "bounces-one-50"]);
  assert.equal(namesMeant("4"), undefined);
});

test("bounces are in the full run, and among the cells of --help", () => {
  const full = parseOptions([]);
  assert.ok(full.ok);
  assert.deepEqual([...full.options.cells], ALL_NAMES);
  const help = parseOptions(["--help"]);
  assert.match(help.ok ? "" : help.say, /^Cells: .* latency bounces-one-10 bounces-one-50$/m);
});

test("short runs say that they are short", () => {
  const isShort = (args: readonly string[]) => {
    const parsed = parseOptions(args);
    return parsed.ok && parsed.options.isShort;
  };
  assert.deepEqual([[], ["--quick"], ["--smoke"]].map(isShort), [false, true, true]);
});

test("what is promised is of cells that there are, and the same cells in both modes", () => {
  const promised = Object.values(PROMISES).map(({ perSecond, cpuPer1000, rssMB }) =>
    [perSecond, cpuPer1000, rssMB].map((bounds) => Object.keys(bounds)),
  );
  assert.deepEqual(promised[0], promised[1]);
  for (const name of promised.flat(2)) assert.ok(ALL_NAMES.includes(name), name);
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
  assert.match(text, /^postfix-postsrsd: Postfix 3\.7; homing-in-session: Homing 1$/m);
  assert.match(text, /^left out: haraka: no npm$/m);
  assert.ok(!text.includes("durable: every"), "a mode that did not run has no table");
});

const OF_BASE = { perSecond: 100, cpuPer1000: 2 };

const verdicts: readonly [what: string, results: Partial<MtaResults>, line: RegExp][] = [
  [
    "what reaches its limit is met",
    { runs: cell({}) },
    /^4k-many-10 +4\.00 +>= 4: met +0\.30 +<= 0\.3: met$/m,
  ],
  [
    "what does not is missed",
    { runs: cell({ perSecond: 399, cpuPer1000: 0.61 }) },
    /^4k-many-10 +3\.99 +>= 4: MISSED +0\.30 +<= 0\.3: MISSED$/m,
  ],
  [
    "medians decide, not single rounds",
    { runs: cell({}).with(-1, run("homing-in-session", 3, { perSecond: 1, cpuPer1000: 9 })) },
    /^4k-many-10 +4\.00 \(0\.01-4\.00\) +>= 4: met +0\.30 \(0\.30-4\.50\) +<= 0\.3: met$/m,
  ],
  [
    "with messages lost, nothing is met",
    { runs: cell({ arrived: 2 }) },
    /^4k-many-10 +~4\.00 +>= 4: MISSED +~0\.30 +<= 0\.3: MISSED$/m,
  ],
  [
    "beside a base that lost some, nothing is met, either",
    { runs: cell({}).with(0, run("postfix-postsrsd", 1, { ...OF_BASE, arrived: 2 })) },
    /^4k-many-10 +~4\.00 +>= 4: MISSED +~0\.30 +<= 0\.3: MISSED$/m,
  ],
  [
    "without the base no ratio is judged",
    { runs: cell({}).filter(({ peer }) => peer === "homing-in-session") },
    /^4k-many-10 +- +>= 4 +- +<= 0\.3$/m,
  ],
  [
    "with two rounds nothing is judged",
    { runs: cell({}), rounds: 2 },
    /^4k-many-10 +4\.00 +>= 4 +0\.30 +<= 0\.3$/m,
  ],
  [
    "two rounds are too few",
    { runs: cell({}), rounds: 2 },
    /^no verdicts: medians of at least 3 rounds are judged$/m,
  ],
  [
    "in short runs nothing is judged",
    { runs: cell({}), isShort: true },
    /^4k-many-10 +4\.00 +>= 4 +0\.30 +<= 0\.3$/m,
  ],
  [
    "short runs are no measure",
    { runs: cell({}), isShort: true },
    /^no verdicts: short runs are for trying$/m,
  ],
  [
    "nothing is promised of bounces, which have their ratios",
    { runs: cell({}, "bounces-one-10") },
    /^bounces-one-10 +4\.00 +0\.30$/m,
  ],
  [
    "RSS at its limit is met",
    { runs: cell({ rssMB: 250 }, "100k-many-50") },
    /^RSS MB, 100k-many-50 +250 +<= 250: met$/m,
  ],
  [
    "RSS above it is missed",
    { runs: cell({ rssMB: 251 }, "100k-many-50") },
    /^RSS MB, 100k-many-50 +251 +<= 250: MISSED$/m,
  ],
  ["p99 at its limit is met", { latencies: [light(10)] }, /^250 p99 ms, latency +10\.0 +<= 10: met$/m],
  ["p99 above it is missed", { latencies: [light(10.1)] }, /^250 p99 ms, latency +10\.1 +<= 10: MISSED$/m],
];

for (const [what, results, line] of verdicts) {
  test(`beside what is promised: ${what}`, () =>
    assert.match(renderReport({ ...RESULTS, ...results }), line));
}

test("verdicts need no explanation, and bounces have one of what was sent home", () => {
  const runs = cell({}, "bounces-one-50");
  const text = renderReport({ ...RESULTS, runs });
  assert.ok(!text.includes("no verdicts"));
  assert.match(
    text,
    /^homing-in-session sends home a report of its own, .*\n\nbounces of 4 KB, one .* 50 sessions \[bounces-one-50\]$/m,
  );
});

const RESULTS: MtaResults = {
  machine: { processor: "P", cores: 2, memoryGB: 8, kernel: "6", node: "v24", disk: "ext4", loadAverage: 0 },
  method: "cgroup",
  rounds: 3,
  seconds: 1,
  peers: ["postfix-postsrsd", "homing-in-session"],
  versions: { "postfix-postsrsd": "Postfix 3.7", "homing-in-session": "Homing 1" },
  leftOut: [{ peer: "haraka", reason: "no npm" }],
  waysHome: { "postfix-postsrsd": "unwrapped", "homing-in-session": "reissued" },
  isShort: false,
  runs: [],
  latencies: [],
};

/** Three rounds of both, in which Homing is at its limits. */
function cell(homing: Partial<CellRun>, name = "4k-many-10"): CellRun[] {
  return [1, 2, 3].flatMap((number) => [
    run("postfix-postsrsd", number, { ...OF_BASE, cell: name }),
    run("homing-in-session", number, { perSecond: 400, cpuPer1000: 0.6, ...homing, cell: name }),
  ]);
}

function light(p99: number): LatencyTurn {
  return {
    ...{ peer: "homing-in-session", round: 1, offered: 3, arrived: 3, cpuPer1000: 1, others: 0 },
    ...{ reply: { p50: 1, p99 }, sink: { p50: 1, p99: 99 }, rssMB: 90, pssMB: 80, processes: 1 },
  };
}

function run(peer: CellRun["peer"], number: number, figures: Partial<CellRun>): CellRun {
  return {
    ...{ peer, round: number, cell: "4k-many-10", offered: 3, arrived: 3, perSecond: 0, cpuPer1000: 0 },
    loadCpuPer1000: 0.1,
    ...{ acceptedPerSecond: undefined, rssMB: 90, pssMB: 80, processes: 1, others: 0, complaint: "" },
    ...figures,
  };
}

const MAIN = join(import.meta.dirname, "../mta/main.ts");
/** The first run installs Haraka. */
const SMOKE_SECONDS = 240;
const skip = await storiesNeed("postfix", "postsrsd");

test("in its shortest form all bounces come home at every peer that can be had", { skip }, async () => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  try {
    const argv = [process.execPath, MAIN, "--smoke", "--folder", folder];
    const { code, stdout: printed, stderr } = await runCommand(argv, { seconds: SMOKE_SECONDS });
    const stdout = printed.toString();
    assert.equal(code, 0, stderr);
    const wanted = ["postfix-postsrsd", "homing-durable", "homing-in-session"];
    // Without a registry there is no Haraka; any other reason is a fault.
    if (!/^left out: haraka: npm cannot install it/m.test(stdout)) wanted.push("haraka");
    for (const peer of wanted)
      assert.match(stdout, new RegExp(`^${peer} +\\*?[1-9]\\d* `, "m"), `${stdout}${stderr}`);
    for (const peer of ["homing-durable", "homing-in-session"])
      assert.match(stdout, new RegExp(`^${peer} sends home a report of its own`, "m"));
    assert.match(stdout, /^bounces-one-10 +\*?\d/m);
    assert.match(stdout, /^no verdicts: /m);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
