// `npm run bench:timing`: does the time of a verification tell how much of a tag is right? Welch's t-test between tags
// that match in no character and tags that match in 1 … n−1 (all but the last), over interleaved in-process calls.
// |t| under 4.5 is the usual bound below which there is no evidence of a leak.
import { createRewriter } from "@homing/srs-core";

const CALLS = 200_000;
const WARM_UP = 50_000;
const ROUNDS = 15;
const BOUND = 4.5;
const NOW = 1_700_000_000;
/** Slowest calls that are left out of each class: interruptions of the machine, far from any effect of ours. */
const OUTLIERS = 0.05;
/** Of each address. */
const COPIES = 64;

interface Moments {
  readonly mean: number;
  readonly variance: number;
  readonly count: number;
}

function tags(tag: string): string[] {
  const other = (char: string): string => (char.toLowerCase() === "x" ? "y" : "x");
  return Array.from({ length: tag.length }, (_, right) => {
    return [...tag].map((char, at) => (at < right ? char : other(char))).join("");
  });
}

function measure(scheme: "strong" | "classic"): number[] {
  const rewriter = createRewriter({
    secrets: ["a long random secret", "an older secret of ours"],
    domain: "f.example",
    scheme,
  });
  const forged = rewriter.forward({ localPart: "bob", domain: "origin.example" }, NOW);
  if (!forged.ok || !forged.rewritten) throw new Error("not forged");
  const [head = "", tag = "", ...rest] = forged.sender.localPart.split("=");
  const wrongs = tags(tag).map((wrong) => [head, wrong, ...rest].join("="));
  const times = wrongs.map((): number[] => []);
  // Copies, because one string may lie better in memory than another, and in any order: a garbage collector lays things out
  // as it finds them, and a processor fetches early what lies in order.
  const cases = shuffled(
    wrongs.flatMap((text, right) =>
      Array.from({ length: COPIES }, () => ({
        right,
        address: { localPart: copyOf(text), domain: "f.example" },
      })),
    ),
  );
  for (let call = -WARM_UP; call < CALLS; call++) {
    // A random one each time: no order that a branch predictor or a cache could learn.
    const one = cases[Math.floor(Math.random() * cases.length)];
    if (!one) continue;
    const start = process.hrtime.bigint();
    rewriter.reverse(one.address, NOW);
    const nanoseconds = Number(process.hrtime.bigint() - start);
    if (call >= 0) times[one.right]?.push(nanoseconds);
  }
  const moments = times.map(momentsOf);
  const [none, ...more] = moments;
  return none ? more.map((some) => welch(none, some)) : [];
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

function copyOf(text: string): string {
  return Buffer.from(text).toString();
}

function momentsOf(times: readonly number[]): Moments {
  const kept = times.toSorted((a, b) => a - b).slice(0, Math.floor(times.length * (1 - OUTLIERS)));
  const mean = kept.reduce((sum, time) => sum + time, 0) / kept.length;
  const variance = kept.reduce((sum, time) => sum + (time - mean) ** 2, 0) / (kept.length - 1);
  return { mean, variance, count: kept.length };
}

function welch(a: Moments, b: Moments): number {
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

/** The median of each column: noise changes its sign from round to round, a leak does not. */
function medians(rounds: readonly (readonly number[])[]): number[] {
  const [first = []] = rounds;
  return first.map((_, column) => {
    const values = rounds.map((round) => round[column] ?? 0).sort((a, b) => a - b);
    return values[Math.floor(values.length / 2)] ?? 0;
  });
}

let worst = 0;
for (const scheme of ["strong", "classic"] as const) {
  const values = medians(Array.from({ length: ROUNDS }, () => measure(scheme)));
  worst = Math.max(worst, ...values.map(Math.abs));
  console.log(
    `${scheme.padEnd(8)} t for 1 … ${values.length} right characters: ${values.map((t) => t.toFixed(2)).join("  ")}`,
  );
}
console.log(
  `${ROUNDS} rounds of ${CALLS} calls a scheme, medians; largest |t| ${worst.toFixed(2)}, bound ${BOUND}`,
);
process.exitCode = worst < BOUND ? 0 : 1;
