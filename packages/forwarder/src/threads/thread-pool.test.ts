import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { type Content, memoryContent } from "@homing/mail";
import { inputOf } from "./job-thread.ts";
import type { ObedientTrade } from "./testing/obedient-thread.ts";
import { type PoolOptions, ThreadPool } from "./thread-pool.ts";
import { WorkRefused } from "./work-refused.ts";

const MAIL = memoryContent(Buffer.from("hello\r\n"));

/** With threads that do what they are told. */
function obedient(t: TestContext, options: Partial<PoolOptions<ObedientTrade>> = {}) {
  const lost: string[] = [];
  const pool = new ThreadPool<ObedientTrade>({
    ...{ name: "obedient", code: new URL("./testing/obedient-thread.ts", import.meta.url) },
    ...{ threads: 1, maxWaiting: 200, lost: (cause: string) => lost.push(cause) },
    ...options,
  });
  t.after(() => pool.close());
  const tell = (work: string, content: Content = MAIL) => pool.run({ work, input: () => inputOf(content) });
  return { pool, tell, lost };
}

function refused(reason: WorkRefused["reason"], words: RegExp) {
  return (error: unknown) =>
    error instanceof WorkRefused && error.reason === reason && words.test(error.message);
}

test("what a thread that dies had to do rejects and is not done again, and another thread takes its place", async (t) => {
  const { tell, lost } = obedient(t);
  await Promise.all([
    assert.rejects(tell("waits"), refused("lost", /too much/)),
    assert.rejects(tell("dies"), refused("lost", /too much/)),
  ]);
  assert.equal(await tell("says hello"), "hello");
  assert.deepEqual(lost, ["it was too much"], "told once");
});

test("a thread that says nothing any more is ended", async (t) => {
  const { tell, lost } = obedient(t, { silenceMs: 1500 });
  await assert.rejects(tell("hangs"), refused("lost", /said nothing/));
  assert.equal(await tell("says hello"), "hello");
  assert.deepEqual(lost, ["it said nothing any more"]);
});

test("a thread that answers may take its time", async (t) => {
  const { tell, lost } = obedient(t, { silenceMs: 1500 });
  assert.equal(await tell("is patient"), "still there");
  assert.deepEqual(lost, []);
});

test("a thread that had nothing to do for long is ended without a word, and the next job begins another", async (t) => {
  const { tell, lost } = obedient(t, { idleMs: 50 });
  const first = await tell("which");
  await setTimeout(500);
  assert.notEqual(await tell("which"), first);
  assert.deepEqual(lost, []);
});

test("a thread whose work takes long stays", async (t) => {
  const { tell, lost } = obedient(t, { idleMs: 1000, silenceMs: 1500 });
  const first = await tell("which");
  // Longer than it may be idle.
  await tell("is patient");
  assert.equal(await tell("which"), first);
  assert.deepEqual(lost, []);
});

test("a thread may ask while it works", async (t) => {
  const { tell } = obedient(t, { answer: async (question) => `what is ${question}` });
  assert.deepEqual(await Promise.all([tell("asks this"), tell("asks that")]), [
    "what is this",
    "what is that",
  ]);
});

test("a bug in a thread is told with its stack, and the thread goes on", async (t) => {
  const { tell, lost } = obedient(t);
  const under = tell("counts");
  await assert.rejects(tell("bug"), refused("failed", /a bug\n {4}at /));
  assert.equal(await under, "7 octets, whole");
  assert.deepEqual(lost, []);
});

test("work that cannot be cloned is refused, and what is told in the same turn is done", async (t) => {
  const { tell, lost } = obedient(t);
  const uncloned = (() => "") as unknown as string;
  const [before, refusal, behind] = await Promise.allSettled([
    tell("counts"),
    tell(uncloned),
    tell("says hello"),
  ]);
  assert.deepEqual(before, { status: "fulfilled", value: "7 octets, whole" });
  assert.deepEqual(behind, { status: "fulfilled", value: "hello" });
  assert.ok(refusal.status === "rejected" && refused("failed", /could not be cloned/)(refusal.reason));
  assert.deepEqual(lost, []);
});

test("a thread whose question has an answer that cannot be cloned is lost, and not the service", async (t) => {
  const { tell, lost } = obedient(t, { answer: async () => (() => "") as unknown as string });
  await assert.rejects(tell("asks this"), refused("lost", /could not be told.*could not be cloned/));
  assert.equal(await tell("says hello"), "hello");
  assert.equal(lost.length, 1);
});

test("a thread that was given up gets nothing more: what comes waits for another", async (t) => {
  const late = Promise.withResolvers<string>();
  const answer = async (): Promise<string> => {
    // The answer is told at the end of this turn of the event loop: the next one comes behind that.
    setImmediate(() => setImmediate(() => late.resolve(tell("says hello"))));
    return (() => "") as unknown as string;
  };
  const { tell } = obedient(t, { answer });
  await assert.rejects(tell("asks this"), refused("lost", /could not be told/));
  assert.equal(await late.promise, "hello");
});

test("beyond those that may wait, one more is refused at once", async (t) => {
  const { tell, pool, lost } = obedient(t, { maxWaiting: 3 });
  const waiting = Promise.allSettled(Array.from({ length: 64 + 3 }, () => tell("waits")));
  await assert.rejects(tell("says hello"), refused("busy", /3 messages wait/));
  await pool.close();
  for (const { status } of await waiting) assert.equal(status, "rejected");
  await assert.rejects(tell("says hello"), refused("closed", /the service ends/));
  assert.deepEqual(lost, [], "a thread that was ended is not lost");
});

test("a thread has no more jobs at a time than it should, and none is read before its turn", async (t) => {
  const { pool, tell } = obedient(t, { jobsPerThread: 2 });
  let isRead = false;
  const waits = [tell("waits"), tell("waits")];
  const third = pool.run({
    work: "says hello",
    input() {
      isRead = true;
      return inputOf(MAIL);
    },
  });
  await new Promise(setImmediate);
  assert.equal(isRead, false);
  await Promise.all([pool.close(), ...[...waits, third].map((one) => assert.rejects(one, WorkRefused))]);
});

test("those that wait are done when there is room, and each has its own outcome", async (t) => {
  const { tell } = obedient(t, { threads: 2 });
  const words = Array.from({ length: 200 }, (_, at) => `word ${at}`);
  assert.deepEqual(await Promise.all(words.map((word) => tell(`says ${word}`))), words);
});

/** Of a size that no memory is asked for: its pieces are made when they are read. */
function large(octets: number, piece: Buffer, read = { pieces: 0 }): Content {
  return {
    ...{ octets, start: piece, hold() {}, release() {} },
    async *pieces() {
      for (let left = octets; left > 0; left -= piece.length) {
        read.pieces++;
        yield piece.subarray(0, left);
      }
    },
  };
}

test("a large content comes in pieces, as it is read, and no faster", async (t) => {
  const { tell } = obedient(t);
  const content = large(5_000_000, Buffer.alloc(300_000));
  assert.equal(await tell("counts", content), "5000000 octets, 65536 at most");
  const read = { pieces: 0 };
  const waiting = tell("waits", large(5_000_000, Buffer.alloc(65_536), read));
  waiting.catch(() => {});
  // The same thread had as many turns meanwhile.
  await tell("counts", large(5_000_000, Buffer.alloc(65_536)));
  assert.equal(read.pieces, 5, "four of them are on their way");
});

test("a content that cannot be read to its end rejects with its own error", async (t) => {
  const { tell, lost } = obedient(t);
  const broken: Content = {
    ...large(10_000_000, Buffer.alloc(7)),
    async *pieces() {
      yield Buffer.alloc(7);
      throw new Error("the disk is gone");
    },
  };
  await assert.rejects(tell("counts", broken), /the disk is gone/);
  assert.equal(await tell("counts"), "7 octets, whole");
  assert.deepEqual(lost, []);
});
