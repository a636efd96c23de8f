// bench:authentication: its options, its report, and the whole in its shortest form.
import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { storiesNeed } from "../../test/harness/availability.ts";
import { run } from "../../test/harness/command.ts";
import { EVERYTHING, PLAIN } from "../authentication/contestants.ts";
import { parseAuthenticationOptions } from "../authentication/options.ts";
import { renderAuthentication } from "../authentication/report.ts";
import type { AuthenticationRun } from "../authentication/rounds.ts";

const MAIN = join(import.meta.dirname, "../authentication/main.ts");
const SMOKE_SECONDS = 60;

const wrong: readonly [args: readonly string[], say: RegExp][] = [
  [["--sessions", "1,x"], /^bench:authentication: --sessions x: is no number from 1 to 500\n$/],
  [["--threads", "1.5"], /--threads 1\.5: is no whole number from 1 to 64/],
  [["--only", "6"], /--only 6: is no number from 0 to 5/],
];

for (const [args, say] of wrong) {
  test(`options [${args}] are refused`, () => {
    const parsed = parseAuthenticationOptions(args, 2);
    assert.ok(!parsed.ok);
    assert.equal(parsed.exitCode, 64);
    assert.match(parsed.say, say);
  });
}

test("the plain path is measured whoever is chosen, and there are no more threads than four", () => {
  const parsed = parseAuthenticationOptions(["--only", "2"], 16);
  assert.ok(parsed.ok);
  assert.deepEqual(parsed.options.contestants, [0, 2]);
  assert.equal(parsed.options.threads, 4);
});

for (const [p99, word] of [
  [19.9, "met"],
  [20, "MISSED"],
] as const) {
  test(`with a median p99 of ${p99} ms the limit is ${word}, and ratios are made within rounds`, () => {
    const text = renderAuthentication({
      machine: { processor: "P", cores: 2, memoryGB: 8, kernel: "6", node: "v24", disk: "", loadAverage: 0 },
      ...{ threads: 2, rounds: 3, seconds: 1 },
      runs: [1, 2, 3].flatMap((round) => [
        oneRun(PLAIN, round, { perSecond: 1000 * round, cpuSeconds: 0.05, p99: 90 }),
        oneRun(EVERYTHING, round, { perSecond: 100 * round, cpuSeconds: 0.3, p99: round === 3 ? 80 : p99 }),
      ]),
    });
    assert.match(
      text,
      /^everything, RSA seal +200 \(100-300\) +0\.10 \(0\.10-0\.10\) +3\.00 .* 6\.00 \(6\.00-6\.00\)/m,
    );
    assert.match(text, new RegExp(`under 20 ms: ${word}$`, "m"));
  });
}

function oneRun(
  contestant: string,
  round: number,
  figures: { readonly perSecond: number; readonly cpuSeconds: number; readonly p99: number },
): AuthenticationRun {
  const { perSecond, cpuSeconds, p99 } = figures;
  return {
    ...{ contestant, round, sessions: 50 },
    run: {
      ...{ offered: 100, arrived: 100, perSecond, acceptedPerSecond: undefined, cpuPer1000: 0 },
      ...{ loadCpuPer1000: 0.1, others: 0, complaint: "", rssMB: 1, pssMB: 1, processes: 1 },
    },
    measured: {
      ...{ cpuSeconds, mainThreadCpuSeconds: 0.01, delay: { p50: 1, p99, max: 99 } },
      ...{ authenticated: 100, signaturesGood: 100, faults: [] },
    },
  };
}

const skip = await storiesNeed("postfix");

test("in its shortest form all mail is authenticated, sealed and forwarded, and there is a row for each contestant", {
  skip,
}, async () => {
  const { code, stdout, stderr } = await run([process.execPath, MAIN, "--smoke"], { seconds: SMOKE_SECONDS });
  assert.equal(code, 0, stderr);
  for (const name of [PLAIN, EVERYTHING, "everything, Ed25519 seal", "no seal", "unsigned mail, no seal"])
    assert.match(stdout.toString(), new RegExp(`^${name} +[1-9]\\d* `, "m"));
});
