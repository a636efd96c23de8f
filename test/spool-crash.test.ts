// The spool where processes die and disks fail: what was acknowledged is there, whole, and nothing is acknowledged that the
// disk did not confirm. The crash points of docs/queue.md. HOMING_CRASH_ROUNDS=20 for the long form.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { type TestContext, test } from "node:test";
import { storiesNeed } from "./harness/availability.ts";
import { run } from "./harness/command.ts";
import { addLines, audit, emptyAccount } from "./spool/account.ts";
import { compare } from "./spool/together-account.ts";
import { acknowledgedTooEarly, LOAD, traced, tracedLater } from "./spool/traced.ts";

const ROUNDS = Number(process.env.HOMING_CRASH_ROUNDS ?? 3);
const ACKNOWLEDGED_A_ROUND = 1000;
const TOGETHER_LOAD = join(import.meta.dirname, "spool/together-load.ts");
const CALLS = ["-e", "trace=fsync,fdatasync,pwrite64,write", "-s", "1000000"];

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "homing-"));
  t.after(() => rm(folder, { recursive: true }));
  return folder;
}

/** Runs load.ts until so much was acknowledged and a moment more, and kills it. @returns what it said */
function killedUnderLoad(folder: string, prefix: string): Promise<string> {
  return killedAmid([LOAD, folder, prefix, "50", "60", "large"]);
}

async function killedAmid(program: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [...program], { stdio: ["ignore", "pipe", "inherit"] });
  const lines: string[] = [];
  let acknowledged = 0;
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (!line.startsWith("stored ")) continue;
    acknowledged++;
    if (acknowledged === ACKNOWLEDGED_A_ROUND) setTimeout(() => child.kill("SIGKILL"), Math.random() * 100);
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  assert.equal(child.signalCode, "SIGKILL");
  return `${lines.join("\n")}\n`;
}

test(`killed ${ROUNDS} times under load: nothing acknowledged is lost or torn, nothing finished comes back`, async (t) => {
  const folder = await temporaryFolder(t);
  const account = emptyAccount();
  for (let round = 0; round < ROUNDS; round++) {
    addLines(account, await killedUnderLoad(folder, `r${round}m`));
    await audit(folder, account);
  }
  assert.ok(account.stored.size >= ROUNDS * ACKNOWLEDGED_A_ROUND);
  t.diagnostic(`${account.stored.size} acknowledged, ${account.finished.size} of them finished`);
});

test(`killed ${ROUNDS} times amid posts under a key: each is there with all its messages, or not at all, and coming again makes no second`, async (t) => {
  const folder = await temporaryFolder(t);
  for (let round = 0; round < ROUNDS; round++) {
    const output = await killedAmid([TOGETHER_LOAD, folder, `r${round}`]);
    const { acknowledged, unheard } = await compare(folder, output);
    assert.ok(acknowledged >= ACKNOWLEDGED_A_ROUND);
    t.diagnostic(`${acknowledged} acknowledged; of ${unheard} that are there nobody heard`);
  }
});

const needsStrace = (await storiesNeed("strace")) ?? false;
test("the log is synced before each acknowledgement", { skip: needsStrace }, async (t) => {
  const folder = await temporaryFolder(t);
  const { lines, stderr } = await traced(CALLS, [folder, "trace", "10", "2"]);
  const { early, seen } = acknowledgedTooEarly(lines);
  assert.ok(seen > 50, stderr);
  assert.deepEqual(early, []);
  // And the reading of the trace can fail: without its syncs, everything is too early.
  const without = lines.filter((line) => !line.includes("sync"));
  assert.equal(acknowledgedTooEarly(without).early.length, seen);
});

test("a disk that cannot sync any more: no acknowledgement from then on, everything earlier is there", {
  skip: needsStrace,
}, async (t) => {
  const folder = await temporaryFolder(t);
  const inject = ["-e", "inject=fsync,fdatasync:error=EIO"];
  const { lines, stdout, stderr } = await tracedLater(
    [...CALLS, ...inject],
    [folder, "trace", "10", "4"],
    300,
  );
  const first = lines.findIndex((line) => line.includes("(INJECTED)"));
  assert.ok(first > 0, stderr);
  const later = lines.slice(first);
  // Whoever is told "stored" was told before the next batch was begun.
  assert.deepEqual(
    later.filter((line) => /"(?:stored|finished|failed) /.test(line)),
    [],
  );
  assert.ok(later.filter((line) => line.includes('"not-stored ')).length > 10);
  const account = emptyAccount();
  addLines(account, stdout);
  assert.ok(account.stored.size > 100);
  for (const line of account.refused) assert.match(line, /^not-stored \S+ failed .*disk I\/O error/);
  await audit(folder, account);
});

test("one sync that fails: its batch is refused and withdrawn, and after a new start of the database mail is taken again", {
  skip: needsStrace,
}, async (t) => {
  const folder = await temporaryFolder(t);
  const inject = ["-e", "inject=fsync,fdatasync:error=EIO:when=60"];
  const { lines, stdout, stderr } = await traced([...CALLS, ...inject], [folder, "trace", "10", "3"]);
  assert.deepEqual(acknowledgedTooEarly(lines).early, [], stderr);
  const account = emptyAccount();
  addLines(account, stdout);
  const [first = ""] = account.refused;
  assert.match(first, /disk I\/O error/);
  assert.match(stdout.slice(stdout.indexOf(first)), /^stored/m);
  await audit(folder, account);
  await assertGone(folder, account.refused);
});

const needsMount = (await storiesNeed()) ?? false;
const disks: [what: string, minFree: number, refusal: RegExp][] = [
  ["a disk that is nearly full", 6_000_000, /^no-room: \S+: only \d+ octets of the disk are free/],
  ["a disk that is full to the last block", 0, /^no-room: database or disk is full/],
];
for (const [what, minFree, refusal] of disks) {
  test(`${what}: mail is refused, and taken again soon after there is room`, {
    skip: needsMount,
  }, async (t) => {
    const base = await temporaryFolder(t);
    const script =
      'base=$1; shift; mount -t tmpfs -o size=32m tmpfs "$base"; head -c 20000000 /dev/zero >"$base/filler"; "$@"';
    const program = [process.execPath, join(import.meta.dirname, "spool/full-disk.ts"), base, `${minFree}`];
    const inside = ["sh", "-euc", script, "sh", base, ...program];
    const { code, stdout, stderr } = await run(
      ["unshare", "--mount", "--propagation", "private", ...inside],
      {
        seconds: 90,
      },
    );
    assert.equal(code, 0, stderr);
    const saw = JSON.parse(stdout.toString());
    t.diagnostic(stdout.toString().trim());
    assert.match(saw.refusal, refusal);
    assert.ok(saw.storedWhenFull > 10);
    // Above the floor there is room for what makes room.
    if (minFree > 0) assert.equal(saw.removedWhileFull, true);
    assert.equal(saw.removed, 5);
    assert.ok(saw.seconds < 30);
    assert.deepEqual([saw.lost, saw.tooMany], [0, 0]);
  });
}

/** Their senders were told that they are not stored. */
async function assertGone(folder: string, refused: readonly string[]): Promise<void> {
  const stored = emptyAccount();
  for (const line of refused) stored.stored.add(line.split(" ")[1] ?? "");
  await assert.rejects(audit(folder, stored), (error: Error & { actual?: unknown[] }) => {
    assert.equal(error.actual?.length, stored.stored.size);
    return true;
  });
}
