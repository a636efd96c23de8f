// npm run differential [-- --count N --seed S]: random addresses against Mail::SRS. Exit 1 on an unexplained difference.
import { parseArgs } from "node:util";
import { storiesNeed } from "../harness/availability.ts";
import { differential } from "./differential.ts";
import { startMailSrsBatch } from "./mail-srs-batch.ts";

const { values } = parseArgs({
  options: { count: { type: "string", default: "1000000" }, seed: { type: "string" } },
});
const count = Number(values.count);
const seed = values.seed === undefined ? Date.now() % 2 ** 31 : Number(values.seed);
const reason = await storiesNeed("libmail-srs-perl");
if (reason !== undefined || !Number.isSafeInteger(count) || !Number.isSafeInteger(seed)) {
  console.error(`differential: ${reason ?? "--count and --seed are whole numbers"}`);
  process.exit(2);
}

console.log(`seed ${seed}, ${count} addresses`);
const started = performance.now();
await using peer = await startMailSrsBatch();
const tally = await differential(peer, count, seed);
const seconds = ((performance.now() - started) / 1000).toFixed(0);
console.log(`${tally.addresses} addresses, ${tally.comparisons} comparisons in ${seconds} s`);
console.log(`agree    ${tally.agree} (${tally.agreeOnAddress} on an address, the others on a refusal)`);
for (const [id, number] of [...tally.byRule].sort(([one], [other]) => (one < other ? -1 : 1))) {
  console.log(`by rule  ${number} ${id}`);
}
console.log(`hangs    ${tally.hangs} (of the refusals: Mail::SRS counts without end up to a long stamp)`);
console.log(`differ   ${tally.differ}`);
for (const { op, input, options, ours, theirs } of tally.unexplained) {
  console.log(JSON.stringify({ op, input, options, ours, theirs }));
}
process.exitCode = tally.differ === 0 ? 0 : 1;
