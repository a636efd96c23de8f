// How what is told leaves, with buckets on a real spool and without any disk.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { Reply } from "@homing/mail";
import type { Incoming } from "../hand-over/incoming.ts";
import type { Queue } from "../queue/queue.ts";
import type { Failure } from "../spool/buckets.ts";
import type { Note } from "../spool/notes.ts";
import type { NewMessage } from "../spool/spool.ts";
import { openState } from "../state.ts";
import {
  createQueuedPost,
  createWaitingPost,
  NO_NOTES,
  OVER_BUDGET,
  type Passing,
  type ReturnPost,
} from "./return-post.ts";

const T0 = 1_800_000_000;
const DAY = 86_400;
const OK: Reply = { code: 250, enhanced: "2.0.0", text: "passed on" };
const BUSY: Reply = { code: 450, enhanced: "4.2.0", text: "come again" };
const NOTE: Note = { of: "test", key: "always", value: "", expires: T0 + DAY };
/** The message and its client are the delivery's business, which is the test's. */
const BOUNCE = {} as Incoming;
const MESSAGE = {} as NewMessage;

function failure(nth: number | string, key = "k"): Failure {
  return { key, about: "about", messageId: `<${nth}@source.test>` };
}

async function queuedPost(t: TestContext, minFreeOctets = 0) {
  const folder = await mkdtemp(join(tmpdir(), "homing-post-"));
  const state = await openState({ folder, maxAgeDays: 21, now: () => T0, minFreeOctets });
  t.after(async () => {
    await state.close();
    await rm(folder, { recursive: true });
  });
  const { notes, bounces } = state.failures;
  // What is passed on never enters the queue.
  const queue = {} as Queue;
  return {
    notes,
    post: createQueuedPost(queue, bounces, notes),
    /** Message-IDs of the notice that is due within a day. */
    async folded(): Promise<readonly string[]> {
      const listed: string[] = [];
      await bounces.tellDue(T0 + DAY, async ({ messageIds }, changes) => {
        listed.push(...messageIds);
        return await notes.change(changes);
      });
      return listed;
    },
  };
}

function passing(reply: Reply | Promise<Reply>, more: Partial<Passing> = {}): Passing {
  return { pass: async () => await reply, notes: NO_NOTES, beyond: "notice", ...more };
}

test("of six bounces that are passed on the sixth is taken, and named in the sender's notice", async (t) => {
  const { post, folded } = await queuedPost(t);
  const kinds: string[] = [];
  for (let nth = 1; nth <= 6; nth++) kinds.push((await post.pass(failure(nth), T0, passing(OK))).kind);
  const later = await post.pass(failure(7), T0 + 10 * DAY, passing(BUSY));
  assert.deepEqual([...kinds, later.kind], ["told", "told", "told", "told", "told", "folded", "folded"]);
  assert.equal(later.reply.code, 250);
  assert.deepEqual(await folded(), ["<6@source.test>", "<7@source.test>"]);
});

const beyond: [Passing["beyond"], kind: string, code: number, listed: number][] = [
  ["notice", "folded", 250, 1],
  ["nobody", "folded", 250, 0],
  ["not-taken", "not-told", 451, 0],
];
for (const [what, kind, code, listed] of beyond) {
  test(`what is beyond the budget, with ${what}, is ${kind} with ${code}`, async (t) => {
    const { post, folded, notes } = await queuedPost(t);
    for (let nth = 1; nth <= 5; nth++) await post.pass(failure(nth), T0, passing(OK));
    const more = { beyond: what, notes: { told: [], always: [NOTE] } };
    const posted = await post.pass(failure(6), T0, passing(OK, more));
    assert.deepEqual([posted.kind, posted.reply.code], [kind, code]);
    assert.equal((await notes.find("test", "always", T0)) !== undefined, kind === "folded");
    assert.equal((await folded()).length, listed);
  });
}

test("what the next hop refuses spends nothing, and its words are the client's", async (t) => {
  const { post } = await queuedPost(t);
  for (let nth = 0; nth < 10; nth++)
    assert.deepEqual(await post.pass(failure(nth), T0, passing(BUSY)), { kind: "not-told", reply: BUSY });
  assert.equal((await post.pass(failure(10), T0, passing(OK))).kind, "told");
});

test("while five are under way the sixth comes again: they may be refused yet", async (t) => {
  const { post, folded } = await queuedPost(t);
  const { promise, resolve } = Promise.withResolvers<Reply>();
  const five = [1, 2, 3, 4, 5].map((nth) => post.pass(failure(nth), T0, passing(promise)));
  assert.deepEqual(await post.pass(failure(6), T0, passing(OK)), { kind: "not-told", reply: OVER_BUDGET });
  resolve(BUSY);
  await Promise.all(five);
  assert.equal((await post.pass(failure(6), T0, passing(OK))).kind, "told");
  assert.deepEqual(await folded(), []);
});

test("while the disk is nearly full what nobody is told comes again, and what is passed on goes on", async (t) => {
  const { post } = await queuedPost(t, 2 ** 60);
  const posted = await post.note(failure(1), T0, { told: [NOTE], always: [] });
  assert.deepEqual([posted.kind, posted.reply.code], ["not-told", 451]);
  assert.equal((await post.pass(failure(2), T0, passing(OK))).kind, "told");
});

/** @param replies of the next hop, one after the other; the last one stays */
function waitingPost(...replies: Reply[]) {
  let asked = 0;
  return {
    post: createWaitingPost(async () => replies[asked++] ?? replies.at(-1) ?? OK, 5),
    asked: () => asked,
  };
}

async function send(post: ReturnPost, now: number, folds = true) {
  const told = { message: async () => MESSAGE, notes: NO_NOTES, folds, bounce: BOUNCE };
  return await post.send(failure("x"), now, told);
}

test("without a disk a delivery that fails spends nothing", async () => {
  const { post, asked } = waitingPost(...Array<Reply>(20).fill(BUSY), OK);
  for (let nth = 0; nth < 20; nth++) assert.deepEqual((await send(post, T0)).reply, BUSY);
  for (let nth = 0; nth < 5; nth++) assert.equal((await send(post, T0)).kind, "told");
  assert.deepEqual(await send(post, T0), { kind: "not-told", reply: OVER_BUDGET });
  assert.equal(asked(), 25);
});

test("without a disk five more are told a day later, and after a clock that was set back by a year", async () => {
  const { post } = waitingPost(OK);
  const kinds = async (now: number) => {
    const found: string[] = [];
    for (let nth = 0; nth < 6; nth++) found.push((await send(post, now)).kind);
    return found.join(" ");
  };
  const five = "told told told told told not-told";
  assert.equal(await kinds(T0), five);
  assert.equal((await send(post, T0 + DAY - 1)).kind, "not-told");
  assert.equal(await kinds(T0 + DAY), five);
  assert.equal(await kinds(T0 - 365 * DAY), five);
});

test("without a disk those under way count, and what a bug ends does not", async () => {
  const { promise, reject } = Promise.withResolvers<Reply>();
  let answer = promise;
  const post = createWaitingPost(() => answer, 2);
  const both = Promise.allSettled([send(post, T0), send(post, T0)]);
  assert.deepEqual(await send(post, T0), { kind: "not-told", reply: OVER_BUDGET });
  reject(new Error("a bug"));
  for (const { status } of await both) assert.equal(status, "rejected");
  answer = Promise.resolve(OK);
  assert.equal((await send(post, T0)).kind, "told");
});

test("without a disk what is beyond ends there where nobody would be told of it anyway", async () => {
  const { post } = waitingPost(OK);
  const beyond = async (what: Passing["beyond"]) =>
    (await post.pass(failure("x"), T0, passing(OK, { beyond: what }))).reply.code;
  for (let nth = 0; nth < 5; nth++) assert.equal(await beyond("notice"), 250);
  assert.deepEqual(
    [await beyond("notice"), await beyond("nobody"), await beyond("not-taken")],
    [451, 250, 451],
  );
  assert.equal((await send(post, T0, false)).kind, "folded");
  assert.equal((await post.note(failure("x"), T0, NO_NOTES)).kind, "folded");
  assert.equal((await post.note(failure("x", "another"), T0, NO_NOTES)).kind, "told");
});
