// `npm run bench:aliases`: the index from alias selectors to aliases over a table of a million: time to build it, the longest
// time for which it holds everything else up, memory, look-ups a second. The peer is a worker thread that gets the same
// names in pieces and makes the same selectors, in the same run. Exit 1 where the index takes longer than its budget.
import { setImmediate as endOfTurn } from "node:timers/promises";
import { isMainThread, parentPort, Worker } from "node:worker_threads";
import { createAliasIndex, createTableRules, loadTables, type Tables } from "@homing/forwarder";
import { createRewriter } from "@homing/srs-core";

const ALIASES = Number(process.argv[2] ?? 1_000_000);
const DOMAINS = 100;
const LOOKUPS = 300_000;
const PIECE = 20_000;
/** For a million aliases. */
const BUDGET_SECONDS = 3;

const domain = (at: number): string => `domain${at % DOMAINS}.example`;
const rewriter = createRewriter({ secrets: ["a long random secret"], domain: "srs.example" });

async function loaded(): Promise<Tables> {
  const domains = Array.from({ length: DOMAINS }, (_, at) => domain(at));
  const result = await loadTables(
    { virtual: "virtual" },
    createTableRules({ domains, ownNames: [] }),
    async function* () {
      for (let at = 0; at < ALIASES; at += PIECE) {
        const lines = Array.from({ length: Math.min(PIECE, ALIASES - at) }, (_, more) => {
          return `user${at + more}@${domain(at + more)} mailbox${at + more}@provider.example\n`;
        });
        yield Buffer.from(lines.join(""));
      }
      yield Buffer.from("postmaster postmaster@provider.example\n");
    },
  );
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  return result.tables;
}

interface Held {
  readonly seconds: number;
  readonly longestMs: number;
}

/** How long one turn of the event loop took at the most, while the work went on. */
async function held(work: () => Promise<unknown>): Promise<Held> {
  let longestMs = 0;
  let isOver = false;
  const turns = (async () => {
    for (let last = performance.now(); !isOver; ) {
      await endOfTurn();
      const now = performance.now();
      longestMs = Math.max(longestMs, now - last);
      last = now;
    }
  })();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  isOver = true;
  await turns;
  return { seconds, longestMs };
}

/** In use: what the process has from the system depends on what was there before. */
function megabytes(): number {
  globalThis.gc?.();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return (heapUsed + arrayBuffers) / 2 ** 20;
}

async function main(): Promise<void> {
  const tables = await loaded();
  const before = megabytes();
  const index = createAliasIndex({ tables: () => tables, rewriterFor: () => rewriter });
  const slices = await held(() => index.aliasOf("aaaaaa", rewriter, 0));
  const grown = megabytes() - before;
  tell(
    "in slices",
    slices,
    `${grown.toFixed(0)} MB, ${Math.round(process.memoryUsage.rss() / 2 ** 20)} with all else`,
  );
  const rates = await lookUps(index);
  console.log(`${rates.perSecond.toFixed(0)} look-ups a second; ${rates.neutral} of ${LOOKUPS} neutral`);
  const isMet = slices.seconds < BUDGET_SECONDS;
  console.log(`budget ${BUDGET_SECONDS} s: ${isMet ? "met" : "MISSED"}`);
  if (!isMet) process.exitCode = 1;
  tell("worker thread", await held(() => inWorker(tables)), "selectors alone, without a table of them");
}

function tell(what: string, { seconds, longestMs }: Held, more: string): void {
  const line = `${seconds.toFixed(2)} s, event loop held for ${longestMs.toFixed(1)} ms at the longest`;
  console.log(`${what.padEnd(14)} ${ALIASES} aliases in ${line}; ${more}`);
}

async function lookUps({ aliasOf }: ReturnType<typeof createAliasIndex>) {
  const asked = Array.from({ length: LOOKUPS }, (_, nth) => {
    const at = (nth * 7919) % ALIASES;
    return rewriter.selectorsOf({ localPart: `user${at}`, domain: domain(at) })[0] ?? "";
  });
  let neutral = 0;
  const start = performance.now();
  for (const selector of asked) if ((await aliasOf(selector, rewriter, 0)) === undefined) neutral++;
  return { perSecond: LOOKUPS / ((performance.now() - start) / 1000), neutral };
}

async function inWorker(tables: Tables): Promise<void> {
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2) });
  const done = new Promise((resolve) => worker.once("message", resolve));
  let piece: string[] = [];
  for (const text of tables.addresses.keys()) {
    piece.push(text);
    if (piece.length < PIECE / 10) continue;
    worker.postMessage(piece);
    piece = [];
    await endOfTurn();
  }
  worker.postMessage(piece);
  worker.postMessage("end");
  await done;
  await worker.terminate();
}

if (isMainThread) await main();
else {
  const port = parentPort;
  const selectors: string[] = [];
  port?.on("message", (piece: readonly string[] | "end") => {
    if (piece === "end") return port.postMessage(selectors.length);
    for (const text of piece) {
      const at = text.lastIndexOf("@");
      const alias = { localPart: text.slice(0, at), domain: text.slice(at + 1) };
      selectors.push(...rewriter.selectorsOf(alias));
    }
  });
}
