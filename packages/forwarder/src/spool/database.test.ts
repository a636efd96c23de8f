// The spool's file over versions: what an earlier Homing wrote is read on, and nothing of it is lost.
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { wholeContent } from "@homing/mail";
import { openDatabase } from "./database.ts";
import { openSpool } from "./open-spool.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { claimAll, message, recipient, T0 } from "./testing/messages.ts";
import { writeVersion1 } from "./testing/version-1.ts";

/** One that was deferred. */
const MESSAGE_1 = `
  INSERT INTO messages VALUES (7, 'old', ${T0}, ${T0 + 100}, 'bob', 'origin.example', 1, 0, 4, 0, CAST('a' || char(13,10) || 'b' AS BLOB));
  INSERT INTO recipients VALUES (7, 0, 'a', 'home.example', 'SRS0=x', 'forwarder.example', 'Alice', 'forwarder.example', 0,
    'Received: x' || char(13,10), 'sender', NULL, NULL, 'home.example', 2, ${T0}, NULL, ${T0 + 5}, 450, '4.2.1', 'words');
`;

async function version1(t: TestContext): Promise<string> {
  const folder = await temporaryFolder(t);
  writeVersion1(folder, MESSAGE_1);
  return folder;
}

test("a spool of version 1 is read on: its mail has one target and asked nothing of DSNs", async (t) => {
  const folder = await version1(t);
  const spool = await openSpool({ folder, minFreeOctets: 0 });
  t.after(() => spool.close());
  const [job] = await claimAll(spool);
  assert.ok(job);
  const { content, ...facts } = job.message;
  assert.equal(String(await wholeContent(content)), "a\r\nb");
  assert.deepEqual(facts, {
    id: "old",
    received: T0,
    expires: T0 + 100,
    sender: { localPart: "bob", domain: "origin.example" },
    eightBit: true,
    smtpUtf8: false,
  });
  assert.deepEqual(job.recipient, {
    mailbox: { localPart: "a", domain: "home.example" },
    reversePath: { localPart: "SRS0=x", domain: "forwarder.example" },
    alias: { localPart: "Alice", domain: "forwarder.example" },
    targets: 1,
    stays: false,
    trace: "Received: x\r\n",
    notify: { kind: "sender" },
  });
  assert.deepEqual(job.lastFailure, { code: 450, enhanced: "4.2.1", detail: "words" });
  assert.equal(job.delayToldAt, T0 + 5);
});

test("a spool of version 1 takes new mail with all that it may ask, and keeps it over a start", async (t) => {
  const folder = await version1(t);
  const dsn = { notify: ["success" as const], orcpt: "rfc822;x@y.example" };
  const first = await openSpool({ folder, minFreeOctets: 0 });
  const recipients = [recipient("b@home.example", { targets: 2, dsn })];
  await first.put(message("new", { dsn: { ret: "hdrs", envid: "Q1" }, recipients }));
  await first.close();
  const spool = await openSpool({ folder, minFreeOctets: 0 });
  t.after(() => spool.close());
  const entry = await spool.show("new");
  assert.deepEqual(entry?.dsn, { ret: "hdrs", envid: "Q1" });
  assert.deepEqual(entry?.recipients[0]?.dsn, dsn);
  assert.equal(entry?.recipients[0]?.targets, 2);
  assert.equal(entry?.position, 8);
});

test("a spool of version 1 that cannot be changed stays one", async (t) => {
  const folder = await version1(t);
  const file = join(folder, "spool.db");
  const db = new DatabaseSync(file);
  // The last step of the change fails.
  db.exec("ALTER TABLE recipients ADD COLUMN orcpt TEXT");
  db.close();
  assert.throws(() => openDatabase(file), /duplicate column name: orcpt/);
  const after = new DatabaseSync(file);
  t.after(() => after.close());
  assert.equal(after.prepare("PRAGMA user_version").get()?.user_version, 1);
  assert.doesNotMatch(
    String(after.prepare("SELECT sql FROM sqlite_master WHERE name = 'messages'").get()?.sql),
    /envid/,
  );
});

test("a new spool and one that was changed have the same columns", async (t) => {
  const columns = (folder: string): unknown => {
    const db = openDatabase(join(folder, "spool.db"));
    t.after(() => db.close());
    return ["messages", "recipients", "chunks", "notes"].map((table) =>
      db
        .prepare(`SELECT name, type FROM pragma_table_info('${table}') ORDER BY name`)
        .all()
        .map(({ name, type }) => `${name} ${type}`),
    );
  };
  assert.deepEqual(columns(await version1(t)), columns(await temporaryFolder(t)));
});
