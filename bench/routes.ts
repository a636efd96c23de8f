// `npm run bench:routes`: a virtual table of a million addresses: time to load and check it, memory, look-ups a second. The
// peer is a plain Map of the same addresses, filled and asked in the same run: nothing in JavaScript can be faster.
import { spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { createTableRules, follow, loadTables } from "@homing/forwarder";
import type { Mailbox } from "@homing/srs-core";

const ADDRESSES = Number(process.argv[2] ?? 1_000_000);
const DOMAINS = 100;
const LOOKUPS = 3_000_000;
const ROUNDS = 3;

const names = Array.from({ length: DOMAINS }, (_, at) => `domain${at}.example`);

function table(): string {
  const lines = Array.from({ length: ADDRESSES }, (_, at) => {
    return `user${at}@${names[at % DOMAINS]}\tmailbox${at}@provider${at % 1000}.example`;
  });
  return `${lines.join("\n")}\npostmaster postmaster@provider.example\n`;
}

/** Strings of their own, as SMTP brings them. */
function recipients(): Mailbox[] {
  return Array.from({ length: 10_000 }, () => {
    const at = Math.floor(Math.random() * ADDRESSES);
    const localPart = Buffer.from(`User${at}`).toString();
    return { localPart, domain: Buffer.from(names[at % DOMAINS] ?? "").toString() };
  });
}

function secondsSince(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9;
}

function residentMegabytes(): number {
  return Math.round(process.memoryUsage.rss() / 2 ** 20);
}

async function tables(path: string): Promise<void> {
  const start = process.hrtime.bigint();
  const rules = createTableRules({ domains: names, ownNames: [] });
  const loaded = await loadTables({ virtual: path }, rules, (file) =>
    createReadStream(file, { highWaterMark: 2 ** 20 }),
  );
  const load = secondsSince(start);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  report("route tables", load, (address) => follow(loaded.tables, address).kind === "destinations");
}

async function plainMap(path: string): Promise<void> {
  const start = process.hrtime.bigint();
  const map = new Map<string, string>();
  for (const line of (await readFile(path, "utf8")).split("\n")) {
    const at = line.indexOf("\t");
    map.set(line.slice(0, at), line.slice(at + 1));
  }
  const load = secondsSince(start);
  report("plain Map", load, ({ localPart, domain }) => map.has(`${localPart.toLowerCase()}@${domain}`));
}

function report(name: string, load: number, find: (address: Mailbox) => boolean): void {
  const asked = recipients();
  const rates = Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    for (let at = 0; at < LOOKUPS; at++) {
      const address = asked[at % asked.length];
      if (!address || !find(address)) throw new Error("not found");
    }
    return LOOKUPS / secondsSince(start);
  }).sort((a, b) => a - b);
  const rate = Math.round(rates[Math.floor(ROUNDS / 2)] ?? 0);
  console.log(
    `${name.padEnd(14)} loaded in ${load.toFixed(2)} s, ${residentMegabytes()} MB, ${rate} look-ups a second`,
  );
}

const [, , , part, path = ""] = process.argv;
if (part === "tables") await tables(path);
else if (part === "map") await plainMap(path);
else {
  console.log(
    `${ADDRESSES} addresses; a process for each, in turn; load average ${loadavg()[0]?.toFixed(1)}`,
  );
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  const file = join(folder, "virtual");
  await writeFile(file, table());
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of ["map", "tables"]) {
      spawnSync(process.execPath, [import.meta.filename, String(ADDRESSES), one, file], { stdio: "inherit" });
    }
  }
  await rm(folder, { recursive: true });
}
