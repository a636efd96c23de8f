// The writer thread dies, and is started again: what was asked of it is answered or done, and nothing twice.
import assert from "node:assert/strict";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Operation, Put } from "./operations.ts";
import { messageRow, recipientRow } from "./rows.ts";
import { temporaryFolder } from "./testing/folder.ts";
import { message, recipient, T0 } from "./testing/messages.ts";
import { startWriter, type Writer } from "./writer.ts";

const DYING = new URL("./testing/dying-thread.ts", import.meta.url);
const HANDING = new URL("./testing/handing-thread.ts", import.meta.url);
const DIE: Operation = { kind: "show", id: "die" };
const DIE_LATER: Operation = { kind: "show", id: "die-later" };

async function writerWithThread(
  t: TestContext,
  trouble?: (cause: string | undefined) => void,
  thread = DYING,
): Promise<Writer> {
  const options = { minFreeOctets: 0, maxPendingOctets: 1e9, thread, trouble };
  const writer = await startWriter({ file: join(await temporaryFolder(t), "spool.db"), ...options });
  // Also where the test fails: it would be started again for ever.
  t.after(() => writer.close());
  return writer;
}

function newPut(writer: Writer, id: string): Put {
  const number = writer.nextNumber();
  const one = recipient("a@home.example", { leasedUntil: T0 + 600 });
  return {
    message: number,
    chunks: 0,
    row: messageRow(message(id), number, 0),
    recipients: [recipientRow(one, number, 0)],
  };
}

function put(writer: Writer, id: string) {
  return writer.ask({ kind: "put", put: newPut(writer, id) }, { body: [Buffer.from(id)] });
}

async function ids(writer: Writer): Promise<unknown[]> {
  // Whoever waits is answered by the next thread.
  const answer = await writer.ask({ kind: "list", after: 0, limit: 100 }, { waits: true });
  assert.equal(answer.kind, "done");
  return answer.kind === "done" ? answer.value.map(({ row }) => row[1]) : [];
}

test("a put under way is answered `away`, and what must be done is done by the next thread", async (t) => {
  const writer = await writerWithThread(t);
  const before = newPut(writer, "before");
  assert.equal((await writer.ask({ kind: "put", put: before })).kind, "done");
  const lease = { message: before.message, recipient: 0, attempt: 1 };
  const [refused, settled] = await Promise.all([
    put(writer, "refused"),
    writer.ask({ kind: "finish", lease }, { waits: true }),
    writer.ask(DIE),
  ]);
  assert.equal(refused.kind, "away");
  assert.deepEqual(settled, { kind: "done", value: true });
  assert.deepEqual(await ids(writer), []);
  await writer.close();
});

test("a put that waits, under way as the thread dies, is stored by the next one, and not withdrawn", async (t) => {
  const writer = await writerWithThread(t);
  const notice = newPut(writer, "notice");
  const [stored] = await Promise.all([
    writer.ask({ kind: "put", put: notice, maybeAgain: true }, { waits: true }),
    writer.ask(DIE),
  ]);
  assert.deepEqual(stored, { kind: "done", value: "stored" });
  await writer.ask(DIE);
  assert.deepEqual(await ids(writer), ["notice"]);
  await writer.close();
});

const CONDITION = [{ of: "x", key: "k" }];

function putAll(writer: Writer, ids: readonly string[], key = "k") {
  const puts = ids.map((id) => newPut(writer, id));
  const notes = { now: T0, write: [{ of: "x", key, value: "", expires: T0 + 9 }], remove: [] };
  return writer.ask(
    {
      kind: "put-all",
      puts,
      octets: ids.map(({ length }) => length),
      notes: { ...notes, absent: CONDITION },
    },
    { body: ids.map((id) => Buffer.from(id)) },
  );
}

for (const [when, die] of [
  ["before it is done", DIE],
  ["after it is done", DIE_LATER],
] as const) {
  test(`a put of several, under way as the thread dies ${when}, is stored by then, and no conflict with itself`, async (t) => {
    const writer = await writerWithThread(t);
    const [stored, single] = await Promise.all([
      putAll(writer, ["one", "two"]),
      put(writer, "single"),
      writer.ask(die),
    ]);
    assert.deepEqual(stored, { kind: "done", value: "stored" });
    assert.equal(single.kind, "away");
    assert.deepEqual(await ids(writer), ["one", "two"]);
    assert.deepEqual(await putAll(writer, ["three"]), { kind: "done", value: "conflict" });
    await writer.close();
  });
}

for (const [when, die] of [
  ["before it is done", DIE],
  ["after it is done", DIE_LATER],
] as const) {
  test(`notes without a message, under way as the thread dies ${when}, are there by then, and no conflict with themselves`, async (t) => {
    const writer = await writerWithThread(t);
    const [stored] = await Promise.all([putAll(writer, []), writer.ask(die)]);
    assert.deepEqual(stored, { kind: "done", value: "stored" });
    const found = await writer.ask({ kind: "find-note", of: "x", key: "k", now: T0 });
    assert.equal(found.kind === "done" && found.value?.key, "k");
    assert.deepEqual(await putAll(writer, []), { kind: "done", value: "conflict" });
    await writer.close();
  });
}

test("a put of several with which two threads die is given up; what is there of it is nobody's, and due", async (t) => {
  let deaths = 1;
  const dieAgain = (): void => {
    // With the first batch of the next thread.
    if (deaths-- > 0) queueMicrotask(() => void writer.ask(DIE_LATER));
  };
  const writer = await writerWithThread(t, (cause) => {
    if (cause === undefined) dieAgain();
  });
  const [given] = await Promise.all([putAll(writer, ["one", "two"]), writer.ask(DIE_LATER)]);
  assert.equal(given.kind, "away");
  assert.deepEqual(await ids(writer), ["one", "two"]);
  const claimed = await writer.ask({ kind: "claim", now: T0, leaseUntil: T0 + 9, limit: 9, leaveOut: [] });
  assert.equal(claimed.kind === "done" && claimed.value.recipients.length, 2);
  await writer.close();
});

test("while there is no thread a put is refused at once; afterwards all goes on, with numbers never used before", async (t) => {
  const writer = await writerWithThread(t);
  await put(writer, "first");
  await writer.ask(DIE);
  const refused = await put(writer, "refused");
  assert.match(refused.kind === "away" ? refused.cause : "", /writer thread of the spool ended/);
  assert.deepEqual(await ids(writer), ["first"]);
  const second = newPut(writer, "second");
  assert.equal((await writer.ask({ kind: "put", put: second })).kind, "done");
  assert.ok(second.message > 2);
  await writer.close();
});

test("closing without a thread answers everybody", async (t) => {
  const writer = await writerWithThread(t);
  await writer.ask(DIE);
  const waiting = writer.ask({ kind: "next-due" }, { waits: true });
  await writer.close();
  assert.equal((await waiting).kind, "away");
  assert.equal((await writer.ask({ kind: "next-due" }, { waits: true })).kind, "away");
});

test("messages that are read back change hands: the thread keeps no second one", async (t) => {
  const writer = await writerWithThread(t, undefined, HANDING);
  await put(writer, "one");
  const answer = await writer.ask({ kind: "content", id: "one" });
  assert.equal(answer.kind, "done");
  const start = answer.kind === "done" ? answer.value?.start : undefined;
  assert.deepEqual(Buffer.from(start ?? []), Buffer.from("one"));
});
