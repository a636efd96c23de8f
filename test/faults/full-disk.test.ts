// A state directory whose disk is full, or that nobody may write to, and a process without file descriptors: mail is put off
// while it lasts, and taken again by itself; what was acknowledged arrives.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { test } from "node:test";
import { storiesNeed } from "../harness/availability.ts";
import { runOrThrow } from "../harness/command.ts";
import { waitFor } from "../harness/wait.ts";
import { type Client, connectClient, KEPT, sendOne } from "./harness/client.ts";
import { letter } from "./harness/letters.ts";
import { onOwnMount, remount } from "./harness/read-only-mount.ts";
import { scale, timeout } from "./harness/scale.ts";
import { type Sink, startSink } from "./harness/sink.ts";
import { createSite, type Service } from "./harness/site.ts";
import { onSmallDisk, smallDisk } from "./harness/small-disk.ts";
import { strace } from "./harness/strace.ts";

const needsMount = (await storiesNeed()) ?? false;
const needsStrace = (await storiesNeed("strace")) ?? false;
const MIB = 1024 * 1024;
const DISK_MIB = scale(24, 128);
const FLOOR = 8 * MIB;
const RECOVERY_SECONDS = 30;
const SECONDS = { queueTimes: { firstRetry: 1, maxRetry: 1 } };
const UNVERIFIED = { localAddress: "127.0.7.1" };
/** Goes into a file on its way in. */
const LARGE = 400_000;
const LATER = { rcpt: () => "450 4.2.1 later" };

/** Sends until something else than 250 comes. @returns that, and what was acknowledged */
async function sendUntilPutOff(client: Client, prefix: string): Promise<{ reply: string; tokens: string[] }> {
  const tokens: string[] = [];
  for (let nth = 0; ; nth++) {
    const one = letter(`${prefix}${nth}`, 100_000);
    const reply = await client.send(one);
    if (reply !== KEPT) return { reply, tokens };
    tokens.push(one.token);
  }
}

/** @returns seconds until mail is taken again */
async function recovery(service: Service): Promise<number> {
  const begin = performance.now();
  let reply = "";
  await waitFor(
    async () => {
      reply = await sendOne(service.port, letter("again"));
      return reply === KEPT || undefined;
    },
    { seconds: RECOVERY_SECONDS, otherwise: () => reply },
  );
  return (performance.now() - begin) / 1000;
}

/** And nothing is told of the address behind the alias (ADR 0013). */
function assertPutOff(reply: string, expected: RegExp): void {
  assert.match(reply, expected);
  assert.doesNotMatch(reply, /home\.example/);
}

async function assertAllArrive(hop: Sink, tokens: readonly string[]): Promise<void> {
  const missing = (): string[] => tokens.filter((token) => !hop.copies.has(token));
  await waitFor(() => missing().length === 0 || undefined, {
    seconds: RECOVERY_SECONDS,
    otherwise: () => `missing: ${missing().slice(0, 10)}`,
  });
  assert.deepEqual(hop.torn, []);
}

/** Files of large messages on their way in, by the names that they have for a moment (front/file-content.ts). */
function nameless(pid: number): string[] {
  return Array.from({ length: 9 }, (_, index) => `.message-${pid}-${index + 1}`);
}

const fillings: [what: string, leave: number][] = [
  ["below its floor", FLOOR / 2],
  ["full to the last block", 0],
];
for (const [what, leave] of fillings) {
  test(`a disk that is ${what}: mail is put off before the disk refuses, taken again within 30 s, and nothing is lost`, {
    timeout,
    skip: needsMount,
  }, async (t) => {
    await using hop = await startSink(LATER);
    await using site = await createSite({
      routes: { "home.example": hop.port },
      limits: { freeOctets: FLOOR },
    });
    const service = await site.start({
      behind: onSmallDisk(site.stateFolder, DISK_MIB),
      seconds: SECONDS,
    });
    const disk = smallDisk(service.pid, site.stateFolder);
    using client = await connectClient(service.port);
    const { reply, tokens } = await sendUntilPutOff(client, "m");
    assert.match(reply, /^452 4\.3\.1 /, "Homing says it");
    assert.ok(disk.freeOctets() > MIB, "before the disk does");
    assert.ok(tokens.length > 10);

    await disk.fill(leave);
    // A connection each: large mail is refused at MAIL, and RCPT and DATA behind it are errors of the client.
    for (let tries = 0; tries < 20; tries++)
      assertPutOff(await sendOne(service.port, letter("no", LARGE * (tries % 2))), /^452 4\.3\.1 /);
    await disk.makeRoom();
    // What is in the queue takes the rest: its next hop has to be there first.
    hop.behave({});
    const seconds = await recovery(service);
    await assertAllArrive(hop, tokens);
    assert.equal(hop.copies.has("no"), false);
    assert.deepEqual(
      [...hop.copies.values()].filter((copies) => copies > 1),
      [],
    );
    t.diagnostic(`${tokens.length} acknowledged, mail again after ${seconds.toFixed(1)} s`);
  });
}

test("a state directory that became read-only: 4xx, no crash, and mail again when it can be written to", {
  timeout,
  skip: needsStrace,
}, async (t) => {
  await using hop = await startSink();
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const service = await site.start();
  assert.equal(await sendOne(service.port, letter("before")), KEPT);
  // A file system that went read-only after an error of its disk: every write is EROFS. mount(8) itself refuses to make it
  // so while files are open for writing.
  const names = ["spool.db", "spool.db-wal", ...nameless(service.pid)];
  const paths = names.flatMap((name) => ["-P", `${site.stateFolder}/${name}`]);
  const writes = "openat,pwrite64,ftruncate,fallocate,fsync,fdatasync";
  {
    const inject = ["-e", `trace=${writes}`, "-e", `inject=${writes}:error=EROFS`];
    await using _tracing = await strace(service.pid, [...paths, ...inject]);
    for (let tries = 0; tries < 5; tries++) {
      assertPutOff(await sendOne(service.port, letter("no")), /^451 4\.3\.0 /);
      assertPutOff(await sendOne(service.port, letter("no", LARGE), UNVERIFIED), /^451 4\.3\.0 /);
    }
    // Whoever waits for his next hop, with a message that fits into memory, needs no disk.
    assert.match(await sendOne(service.port, letter("unverified"), UNVERIFIED), /^250 .*: passed on$/);
  }
  const seconds = await recovery(service);
  await assertAllArrive(hop, ["before", "again", "unverified"]);
  assert.equal(hop.copies.has("no"), false);
  t.diagnostic(`mail again after ${seconds.toFixed(1)} s`);
});

test("a state directory on a mount that became read-only: 4xx, no crash, and mail again when it is writable", {
  timeout,
  skip: needsStrace,
}, async (t) => {
  await using hop = await startSink();
  await using site = await createSite({ routes: { "home.example": hop.port } });
  const service = await site.start({ behind: onOwnMount(site.stateFolder), seconds: SECONDS });
  assert.equal(await sendOne(service.port, letter("before")), KEPT);
  await assertAllArrive(hop, ["before"]);
  {
    // A write that fails has the spool closed for a moment: while it is open, mount(8) refuses.
    const inject = ["-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EROFS"];
    await using _tracing = await strace(service.pid, inject);
    await waitFor(
      async () => {
        assertPutOff(await sendOne(service.port, letter("no")), /^451 4\.3\.0 /);
        return (await remount(service.pid, site.stateFolder, "ro")) || undefined;
      },
      { seconds: RECOVERY_SECONDS, otherwise: () => "the spool is never closed" },
    );
  }
  await assert.rejects(writeFile(`/proc/${service.pid}/root${site.stateFolder}/probe`, ""), {
    code: "EROFS",
  });
  for (let tries = 0; tries < 10; tries++) {
    assertPutOff(await sendOne(service.port, letter("no")), /^451 4\.3\.0 /);
    assertPutOff(await sendOne(service.port, letter("no", LARGE), UNVERIFIED), /^451 4\.3\.0 /);
  }
  assert.match(await sendOne(service.port, letter("unverified"), UNVERIFIED), /^250 .*: passed on$/);
  assert.equal(await remount(service.pid, site.stateFolder, "rw"), true);
  const seconds = await recovery(service);
  await assertAllArrive(hop, ["before", "again", "unverified"]);
  assert.equal(hop.copies.has("no"), false);
  t.diagnostic(`mail again after ${seconds.toFixed(1)} s`);
});

/** The thread of SMTP out starts with the first delivery: there, or when nothing can be opened any more. */
for (const [when, before] of [
  ["left", ["before"]],
  ["left for the first delivery", []],
] as const)
  test(`no file descriptors ${when}: nobody crashes, nothing acknowledged is lost, and mail goes on afterwards`, {
    timeout,
    skip: needsMount,
  }, async (t) => {
    await using hop = await startSink();
    await using site = await createSite({ routes: { "home.example": hop.port } });
    const service = await site.start({ seconds: SECONDS });
    for (const token of before) assert.equal(await sendOne(service.port, letter(token)), KEPT);
    await assertAllArrive(hop, before);
    const limits = await readFile(`/proc/${service.pid}/limits`, "utf8");
    const [, enough] = /^Max open files +(\d+)/m.exec(limits) ?? [];
    await runOrThrow(["prlimit", "--pid", `${service.pid}`, "--nofile=48:"]);
    const replies = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const one = letter(`e${index}`, index % 5 === 0 ? LARGE : 500);
        const localAddress = index % 2 === 0 ? "127.0.0.1" : `127.0.7.${1 + index}`;
        return { token: one.token, reply: await sendOne(service.port, one, { localAddress }).catch(String) };
      }),
    );
    const refused = replies.filter(({ reply }) => !reply.startsWith("250"));
    assert.ok(refused.length > 0, "there were too few");
    for (const { reply } of refused) assertPutOff(reply, /^(?:closed|4\d\d |Error: .*ECONNRESET)/);
    await runOrThrow(["prlimit", "--pid", `${service.pid}`, `--nofile=${enough}:`]);
    await recovery(service);
    const taken = replies.filter(({ reply }) => reply.startsWith("250")).map(({ token }) => token);
    await assertAllArrive(hop, [...before, "again", ...taken]);
    t.diagnostic(`${taken.length} taken, ${refused.length} put off, such as ${refused[0]?.reply}`);
  });
