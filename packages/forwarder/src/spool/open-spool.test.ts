// What a spool's folder must be like, and who may have it open.
import assert from "node:assert/strict";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { openSpool } from "./open-spool.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { message } from "./testing/messages.ts";

test("a spool that is open cannot be opened again, and the error names its folder", async (t) => {
  const folder = await temporaryFolder(t);
  const spool = await openSpool({ folder });
  await assert.rejects(openSpool({ folder }), {
    message: `${folder}: another process has this spool open: stop it first, or give this one a folder of its own`,
  });
  await spool.close();
  await (await openSpool({ folder })).close();
});

test("closing twice, and at the same time, is closing once", async (t) => {
  const spool = await openSpool({ folder: await temporaryFolder(t) });
  await Promise.all([spool.close(), spool.close()]);
  await spool.close();
});

test("a spool of a newer Homing is refused, and not touched", async (t) => {
  const folder = await temporaryFolder(t);
  await (await openSpool({ folder })).close();
  const db = new DatabaseSync(join(folder, "spool.db"));
  db.exec("PRAGMA user_version = 7");
  db.close();
  const before = statSync(join(folder, "spool.db")).mtimeMs;
  await assert.rejects(openSpool({ folder }), /spool\.db: a newer Homing wrote this spool \(version 7, /);
  assert.equal(statSync(join(folder, "spool.db")).mtimeMs, before);
});

test("a file that is no database is told in one line", async (t) => {
  const folder = await temporaryFolder(t);
  writeFileSync(join(folder, "spool.db"), "not a database, but long enough to be read as one".repeat(100));
  await assert.rejects(openSpool({ folder }), (error: Error) => {
    assert.match(error.message, /^\S+spool\.db cannot be opened: file is not a database .*: check the disk/);
    assert.ok(!error.message.includes("\n"));
    return true;
  });
});

test("nobody else may read the mail in it", async (t) => {
  const folder = join(await temporaryFolder(t), "made on the way");
  const spool = await openSpool({ folder });
  await spool.put(message("private"));
  for (const name of ["spool.db", "spool.db-wal"])
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  assert.equal(statSync(folder).mode & 0o777, 0o700);
  await spool.close();
});

test("more than may wait for the disk is refused at once, and taken when the disk has caught up", async (t) => {
  const spool = await openSpool({ folder: await temporaryFolder(t), maxPendingOctets: 4000 });
  const outcomes = await Promise.all(["1", "2", "3", "4", "5"].map((id) => spool.put(message(id))));
  assert.deepEqual(
    outcomes.map(({ kind }) => kind),
    ["stored", "stored", "stored", "no-room", "no-room"],
  );
  assert.equal((await spool.put(message("6"))).kind, "stored");
  await spool.close();
});

test("below the floor of free octets nothing is taken", async (t) => {
  const spool = await openSpool({ folder: await temporaryFolder(t), minFreeOctets: 2 ** 52 });
  const outcome = await spool.put(message("too much"));
  assert.match(outcome.kind === "no-room" ? outcome.cause : outcome.kind, /must stay so$/);
  await spool.close();
});

test("a put that waits for room keeps nobody from closing the spool", async (t) => {
  const spool = await openSpool({ folder: await temporaryFolder(t), minFreeOctets: 2 ** 52 });
  const waiting = spool.put(message("notice"), { waits: true });
  // Answered after the put was tried.
  assert.deepEqual(await spool.list({ limit: 1 }), []);
  await spool.close();
  assert.equal((await waiting).kind, "no-room");
});

test("a folder is made in one that is there; without that one, and in /proc, it is an error at once", async (t) => {
  const base = await temporaryFolder(t);
  const spool = await openSpool({ folder: join(base, "state"), minFreeOctets: 0 });
  await spool.close();
  for (const folder of [join(base, "missing/state"), "/proc/nowhere"])
    await assert.rejects(openSpool({ folder }), { code: "ENOENT" });
});
