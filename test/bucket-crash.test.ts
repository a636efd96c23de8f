// Buckets where processes die: a failure that was taken is told once, by itself or in a notice, however the process ended. A
// crash point of docs/queue.md. HOMING_CRASH_ROUNDS=20 for the long form.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { toldIn } from "./spool/bucket-account.ts";

const ROUNDS = Number(process.env.HOMING_CRASH_ROUNDS ?? 3);
const STORED_A_ROUND = 1000;
const LOAD = resolve(import.meta.dirname, "spool/bucket-load.ts");

/** Runs the load until so much was stored and a moment more, and kills it. @returns what it said is stored */
async function killedUnderLoad(folder: string, prefix: string): Promise<string[]> {
  const child = spawn(process.execPath, [LOAD, folder, prefix], { stdio: ["ignore", "pipe", "inherit"] });
  const stored: string[] = [];
  for await (const line of createInterface(child.stdout)) {
    const [, id] = /^stored (\w+)$/.exec(line) ?? [];
    if (id !== undefined) stored.push(id);
    if (stored.length === STORED_A_ROUND) setTimeout(() => child.kill("SIGKILL"), Math.random() * 100);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
  return stored;
}

test(`killed ${ROUNDS} times while failures are folded and told: each is told once, none is lost`, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  const stored: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    stored.push(...(await killedUnderLoad(folder, `r${round}m`)));
    const { dsns, listed, folded } = await toldIn(folder);
    const told = [...dsns, ...listed, ...folded];
    const once = new Set(told);
    assert.deepEqual(
      stored.filter((id) => !once.has(id)),
      [],
      "stored and lost",
    );
    assert.equal(told.length, once.size, "told twice");
    // All ways were taken.
    assert.ok(dsns.length > 100 && listed.length > 100, `${dsns.length} DSNs, ${listed.length} listed`);
    t.diagnostic(
      `${dsns.length} DSNs, ${listed.length} listed in notices, ${folded.length} in the next ones`,
    );
  }
});
