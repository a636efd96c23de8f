// The questions about the queue, asked of a real spool.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openState, type Spool } from "@homing/forwarder";
import { memoryContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import { message, recipient, T0 } from "../../../../forwarder/src/spool/testing/messages.ts";
import { createMasking } from "../mask-events.ts";
import type { AnswerTo } from "./control-client.ts";
import { type Handlers, NotNow } from "./control-handlers.ts";
import type { Question } from "./control-protocol.ts";
import { createQueueHandlers } from "./queue-handlers.ts";
import {
  contentAnswer,
  dropAnswer,
  listAnswer,
  retryAllAnswer,
  retryAnswer,
  showAnswer,
} from "./queue-questions.ts";

const LATER = { due: T0 + 500 };

interface Scene {
  readonly spool: Spool;
  readonly handlers: Handlers;
  readonly events: readonly object[];
  wakes(): number;
  /** Messages that the queue was told to forget. */
  readonly forgotten: readonly string[];
}

async function scene(t: TestContext): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "homing-control-"));
  const now = (): number => T0;
  const { spool, close } = await openState({ folder, maxAgeDays: 21, now, minFreeOctets: 0 });
  t.after(async () => {
    await close();
    await rm(folder, { recursive: true });
  });
  const events: object[] = [];
  const forgotten: string[] = [];
  let wakes = 0;
  const handlers = createQueueHandlers({
    spool,
    now,
    wake: () => wakes++,
    dropped: (id) => forgotten.push(id),
    log: (event) => events.push(event),
  });
  return { spool, handlers, events, wakes: () => wakes, forgotten };
}

type ListPage = AnswerTo<typeof listAnswer>;

async function answered<I, E>(
  handlers: Handlers,
  question: Question,
  shape: { item: { parse(value: unknown): I }; end: { parse(value: unknown): E } },
): Promise<{ items: I[]; end: E }> {
  const handled = handlers.get(question.kind)?.(question);
  assert.ok(handled?.ok, JSON.stringify(handled));
  const { answering } = handled;
  const items: I[] = [];
  if (answering instanceof Promise) return { items, end: shape.end.parse(await answering) };
  for (;;) {
    const { done, value } = await answering.next();
    if (done) return { items, end: shape.end.parse(value) };
    items.push(shape.item.parse(value));
  }
}

test("a list goes on page by page, and ends where the queue does", async (t) => {
  const { spool, handlers } = await scene(t);
  const names = Array.from({ length: 230 }, (_, at) => `m${at}`);
  await Promise.all(names.map((id) => spool.put(message(id, { recipients: [recipient("a@home.example")] }))));
  const listed: string[] = [];
  const sizes: number[] = [];
  let after: number | undefined = 0;
  while (after !== undefined) {
    const page: ListPage = await answered(handlers, { kind: "queue-list", after, limit: 100 }, listAnswer);
    const { items, end } = page;
    listed.push(...items.map(({ id }) => id));
    sizes.push(items.length);
    after = end.next;
  }
  assert.deepEqual(listed, names);
  assert.deepEqual(sizes, [100, 100, 30]);
});

test("few that fit among many take several answers, each of which looks at a thousand", async (t) => {
  const { spool, handlers } = await scene(t);
  const puts = Array.from({ length: 1100 }, (_, at) =>
    spool.put(message(`m${at}`, at === 1050 ? { sender: NULL_PATH } : {})),
  );
  await Promise.all(puts);
  const first = await answered(
    handlers,
    { kind: "queue-list", after: 0, limit: 10, sender: "<>" },
    listAnswer,
  );
  assert.deepEqual(first.items, []);
  const { next } = first.end;
  assert.ok(next !== undefined);
  const second = await answered(
    handlers,
    { kind: "queue-list", after: next, limit: 10, sender: "<>" },
    listAnswer,
  );
  assert.deepEqual(
    second.items.map(({ id, sender }) => [id, sender]),
    [["m1050", ""]],
  );
  assert.equal(second.end.next, undefined);
});

const filters: [filter: { sender?: string; recipient?: string }, fits: string[]][] = [
  [{}, ["m1", "m2", "m3"]],
  [{ sender: "BOB@" }, ["m1", "m2"]],
  [{ sender: "<bob@origin.example>" }, ["m1", "m2"]],
  [{ sender: "<ob@origin.example>" }, []],
  [{ sender: "<>" }, ["m3"]],
  [{ recipient: "club" }, ["m2"]],
  [{ recipient: "alice@forwarder" }, ["m1", "m2", "m3"]],
  [{ recipient: "<a@home.example>" }, ["m1", "m2"]],
  [{ recipient: "club", sender: "<>" }, []],
];
test("a list is of what is asked for: parts of the sender, the target, the alias", async (t) => {
  const { spool, handlers } = await scene(t);
  await spool.put(message("m1"));
  await spool.put(
    message("m2", { recipients: [recipient("a@home.example"), recipient("Carol@Club.example")] }),
  );
  await spool.put(message("m3", { sender: NULL_PATH, recipients: [recipient("dora@x.example")] }));
  for (const [filter, fits] of filters) {
    const { items } = await answered(
      handlers,
      { kind: "queue-list", after: 0, limit: 10, ...filter },
      listAnswer,
    );
    assert.deepEqual(
      items.map(({ id }) => id),
      fits,
      JSON.stringify(filter),
    );
  }
  const { items } = await answered(
    handlers,
    { kind: "queue-list", after: 0, limit: 10, recipient: "club" },
    listAnswer,
  );
  assert.deepEqual(
    items[0]?.recipients.map((one) => one.recipient),
    ["Carol@Club.example"],
  );
  assert.equal(items[0]?.counts.due, 2);
});

test("each recipient has its state, and an entry shows a hundred of a thousand", async (t) => {
  const { spool, handlers } = await scene(t);
  const many = Array.from({ length: 998 }, (_, at) => recipient(`u${at}@home.example`));
  await spool.put(
    message("m1", {
      recipients: [
        recipient("now@home.example", { leasedUntil: T0 + 60 }),
        recipient("later@home.example", LATER),
        ...many,
      ],
    }),
  );
  const { items } = await answered(handlers, { kind: "queue-list", after: 0, limit: 1 }, listAnswer);
  assert.deepEqual(items[0]?.counts, { due: 998, waiting: 1, leased: 1 });
  assert.equal(items[0]?.recipients.length, 100);
  assert.deepEqual(
    items[0]?.recipients.slice(0, 3).map(({ state, attempts }) => [state, attempts]),
    [
      ["leased", 1],
      ["waiting", 0],
      ["due", 0],
    ],
  );
});

test("show gives every recipient with its last failure, and the header alone", async (t) => {
  const { spool, handlers } = await scene(t);
  const content = memoryContent(Buffer.from("Subject: one\r\nTo: x\r\n\r\nbody\r\n\r\nmore\r\n"));
  await spool.put(message("m1", { content, recipients: [recipient("a@home.example")] }));
  const [job] = await spool.claim({ now: T0, leaseUntil: T0 + 60, limit: 1 });
  assert.ok(job);
  const failure = { code: 450, enhanced: "4.2.1", detail: "greylisted" };
  await spool.retry(job.lease, { ...failure, ...LATER });
  const { items, end } = await answered(handlers, { kind: "queue-show", id: "m1" }, showAnswer);
  assert.equal(end.message?.header, "Subject: one\r\nTo: x\r\n");
  assert.deepEqual(items, [
    {
      recipient: "a@home.example",
      alias: "Alice@forwarder.example",
      state: "waiting",
      due: T0 + 500,
      attempts: 1,
      lastFailure: failure,
      reversePath: "SRS0=k5jjmthi=G3=origin.example=bob@forwarder.example",
      stays: false,
      notify: "sender",
      trace: "Received: by mx.forwarder.example\r\n",
    },
  ]);
  const none = await answered(handlers, { kind: "queue-show", id: "m2" }, showAnswer);
  assert.deepEqual(none, { items: [], end: {} });
});

test("the content comes in pieces, octet by octet", async (t) => {
  const { spool, handlers } = await scene(t);
  const octets = Buffer.alloc(700_000, "8bit \xfc\r\n", "latin1");
  await spool.put(message("m1", { content: memoryContent(octets) }));
  const { items, end } = await answered(handlers, { kind: "queue-content", id: "m1" }, contentAnswer);
  assert.equal(end.found, true);
  assert.ok(items.length > 1);
  assert.ok(Buffer.concat(items.map((item) => Buffer.from(item.octets, "base64"))).equals(octets));
  const none = await answered(handlers, { kind: "queue-content", id: "m2" }, contentAnswer);
  assert.deepEqual(none, { items: [], end: { found: false } });
});

test("a content that cannot be read to its end is said to be gone, in the words of the spool", async (t) => {
  const { spool } = await scene(t);
  const content = {
    ...memoryContent(Buffer.from("first\r\n")),
    async *pieces() {
      yield Buffer.from("first\r\n");
      throw new Error("message m1 is no longer in the spool");
    },
  };
  const handlers = createQueueHandlers({
    spool: { ...spool, content: async () => content },
    now: () => T0,
    wake: () => {},
    dropped: () => {},
    log: () => {},
  });
  await assert.rejects(answered(handlers, { kind: "queue-content", id: "m1" }, contentAnswer), (error) => {
    assert.ok(error instanceof NotNow);
    assert.equal(error.message, "message m1 is no longer in the spool");
    return true;
  });
});

test("retry makes the recipients due that wait, says how it is with the others, and wakes the queue", async (t) => {
  const { spool, handlers, events, wakes } = await scene(t);
  const recipients = [
    recipient("later@home.example", LATER),
    recipient("due@home.example"),
    recipient("now@home.example", { leasedUntil: T0 + 60 }),
  ];
  await spool.put(message("m1", { recipients }));
  const { end } = await answered(handlers, { kind: "queue-retry", id: "m1" }, retryAnswer);
  assert.deepEqual(end, { found: true, retried: 1, due: 1, leased: 1 });
  assert.equal(wakes(), 1);
  assert.deepEqual(events, [{ event: "queue-retried", id: "m1", recipients: 1 }]);
  assert.equal(await spool.nextDue(T0), T0);
  const none = await answered(handlers, { kind: "queue-retry", id: "m2" }, retryAnswer);
  assert.equal(none.end.found, false);
  assert.equal(events.length, 1);
});

test("retry of all goes through the queue page by page, and leaves alone what is due", async (t) => {
  const { spool, handlers, events, wakes } = await scene(t);
  await Promise.all(
    Array.from({ length: 150 }, (_, at) =>
      spool.put(message(`m${at}`, { recipients: [recipient("a@home.example", at < 120 ? LATER : {})] })),
    ),
  );
  const first = await answered(handlers, { kind: "queue-retry-all", after: 0 }, retryAllAnswer);
  assert.ok(first.end.next !== undefined);
  const second = await answered(handlers, { kind: "queue-retry-all", after: first.end.next }, retryAllAnswer);
  assert.deepEqual([first.end.messages, second.end.messages, second.end.next], [100, 20, undefined]);
  assert.equal(wakes(), 2);
  assert.equal(events.length, 120);
  assert.equal((await spool.claim({ now: T0, leaseUntil: T0 + 60, limit: 1000 })).length, 150);
});

test("drop removes the message, says what it was, and fences off the attempt that runs", async (t) => {
  const { spool, handlers, events, forgotten } = await scene(t);
  await spool.put(message("m1"));
  const [job] = await spool.claim({ now: T0, leaseUntil: T0 + 60, limit: 1 });
  assert.ok(job);
  const { end } = await answered(handlers, { kind: "queue-drop", id: "m1" }, dropAnswer);
  assert.deepEqual(forgotten, ["m1"]);
  assert.deepEqual(end.message?.counts, { due: 0, waiting: 0, leased: 1 });
  assert.equal(end.message?.recipients[0]?.recipient, "a@home.example");
  assert.deepEqual(events, [
    { event: "queue-dropped", id: "m1", reversePath: "bob@origin.example", targets: ["a@home.example"] },
  ]);
  assert.equal(await spool.done(job.lease), false);
  const again = await answered(handlers, { kind: "queue-drop", id: "m1" }, dropAnswer);
  assert.deepEqual(again.end, {});
  assert.deepEqual([events.length, forgotten.length], [1, 1]);
});

test("the log masks who sent what was dropped, and to whom", async (t) => {
  const { spool } = await scene(t);
  await spool.put(message("m1", { recipients: [recipient("a@home.example"), recipient("b@x.example")] }));
  const mask = createMasking("domain", Buffer.alloc(32));
  const events: object[] = [];
  const handlers = createQueueHandlers({
    spool,
    now: () => T0,
    wake: () => {},
    dropped: () => {},
    log: (event) => events.push(mask(event)),
  });
  await answered(handlers, { kind: "queue-drop", id: "m1" }, dropAnswer);
  const targets = ["*@home.example", "*@x.example"];
  assert.deepEqual(events, [{ event: "queue-dropped", id: "m1", reversePath: "*@origin.example", targets }]);
});

test("while the spool cannot be asked, its words are for the person", async () => {
  const away = () => Promise.reject(new Error("the spool cannot be asked now: the disk is away"));
  const spool = { list: away, show: away, content: away, drop: away, retryNow: away };
  const handlers = createQueueHandlers({
    spool,
    now: () => T0,
    wake: () => assert.fail("nothing was made due"),
    dropped: () => assert.fail("nothing was dropped"),
    log: (event) => assert.fail(JSON.stringify(event)),
  });
  for (const question of [
    { kind: "queue-list", after: 0, limit: 1 },
    { kind: "queue-show", id: "m1" },
    { kind: "queue-content", id: "m1" },
    { kind: "queue-retry", id: "m1" },
    { kind: "queue-retry-all", after: 0 },
    { kind: "queue-drop", id: "m1" },
  ]) {
    await assert.rejects(answered(handlers, question, dropAnswer), (error) => {
      assert.ok(error instanceof NotNow, question.kind);
      assert.match(error.message, /the disk is away/);
      return true;
    });
  }
});
