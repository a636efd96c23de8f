// npm run bench:linear: what a parser costs grows with the length of its input, and no faster. CPU time, not a clock on
// the wall; a script and not a test, because a busy machine may spoil a measurement. Exit 1 where growth is steeper.
import { readTrace } from "@homing/mail";
import { createRewriter, parseDomain, parseMailbox, parseReversePath, parseSrs } from "@homing/srs-core";

const SIZES = [65_536, 131_072, 262_144, 524_288, 1_048_576];
const ROUNDS = 15;
/** Twice the input costs 2 where cost is linear and 4 where it is quadratic. */
const MAX_GROWTH = 3;
/** Below it a measurement says nothing: a bounded cost stays here at any size. */
const FLOOR_MICROSECONDS = 400;

const rewriter = createRewriter({
  secrets: ["a long random secret"],
  domain: "f.example",
  accept: ["strong", "classic", "exim"],
});
const at = (localPart: string) => ({ localPart, domain: "origin.example" });
const decoders: Readonly<Record<string, (text: string) => unknown>> = {
  parseMailbox,
  "parseMailbox of a local part": (text) => parseMailbox(`${text}@origin.example`),
  "parseMailbox of a quoted local part": (text) => parseMailbox(`"${text}"@origin.example`),
  "parseMailbox of a domain": (text) => parseMailbox(`bob@${text}`),
  parseReversePath,
  parseDomain,
  parseSrs: (text) => parseSrs(`SRS0=${text}`),
  reverse: (text) => rewriter.reverse(at(`SRS0=aaaaaaaa=G3=origin.example=${text}`), 0),
  "reverse of SRS1": (text) => rewriter.reverse(at(`SRS1=aaaaaaaa=first.example==${text}`), 0),
  forward: (text) => rewriter.forward(at(text), 0),
  "readTrace of field names": (text) => readTrace(Buffer.from(text), 50),
  "readTrace of Received": (text) => readTrace(Buffer.from(`Received: ${text}`), 50),
  "readTrace of lines": (text) => readTrace(Buffer.from(text.replaceAll("a", "a:\r\n ")), 50),
  "forward of SRS1": (text) => rewriter.forward(at(`SRS1=aaaa=first.example==${text}`), 0),
};
const units = ["a", "=", '"', "\\", "@", ".", "é", "例", "\u{1f4a9}", "SRS0=", "a@", "\0", "ü.", "\ud800"];

let steep = 0;
console.log(
  `${"decoder".padEnd(38)}${"unit".padEnd(10)}µs of CPU at ${SIZES.map((size) => `${size / 1024} KiB`).join(", ")}; growth`,
);
for (const [name, decode] of Object.entries(decoders)) {
  for (const unit of units) {
    const texts = SIZES.map((size) => unit.repeat(size / unit.length));
    const measure = () => texts.map((text) => medianCost(() => decode(text)));
    // A disturbed measurement looks steep once, a steep decoder each time.
    let costs = measure();
    for (let again = 0; again < 2 && steepest(costs) > MAX_GROWTH; again++) costs = measure();
    const growth = steepest(costs);
    if (growth > MAX_GROWTH) steep += 1;
    const shown = `${name.padEnd(38)}${JSON.stringify(unit).padEnd(10)}${costs.map((cost) => String(Math.round(cost)).padStart(7)).join("")}`;
    console.log(
      `${shown}   ${growth === 0 ? "bounded" : growth.toFixed(2)}${growth > MAX_GROWTH ? "  STEEP" : ""}`,
    );
  }
}
console.log(steep === 0 ? "nothing grows faster than its input" : `${steep} grow faster than their input`);
process.exitCode = steep === 0 ? 0 : 1;

function medianCost(work: () => unknown): number {
  const costs = Array.from({ length: ROUNDS }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  });
  return costs.sort((one, other) => one - other)[ROUNDS >> 1] ?? 0;
}

/** The median of the growths at each doubling, where there is something to measure. */
function steepest(costs: readonly number[]): number {
  const growths: number[] = [];
  for (const [index, cost] of costs.entries()) {
    const before = costs[index - 1] ?? 0;
    if (before >= FLOOR_MICROSECONDS) growths.push(cost / before);
  }
  return growths.sort((one, other) => one - other)[growths.length >> 1] ?? 0;
}
