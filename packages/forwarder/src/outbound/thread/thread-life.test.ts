// The thread of SMTP out from its start to its end: what becomes of mail when it is lost, and when the service ends.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { contentOf, LINES, started, startedWithHop, TOLD, until } from "./testing/thread-scene.ts";

test("what a thread had that ended at its start was never tried: it is busy, and no dot is told", async (t) => {
  const code = new URL("data:text/javascript,throw new Error('no such module')");
  const { tell, failures } = started(t, { code });
  const dots: string[] = [];
  const attempt = await tell("count", { onFinalDot: () => dots.push("dot") });
  assert.deepEqual([attempt.kind, dots, failures.length], ["busy", [], 1]);
});

test("a thread that dies: what may be sent counts as sent, the rest does not, and another one is started", async (t) => {
  const { tell, advance, failures } = started(t, { code: TOLD });
  const dots: string[] = [];
  const under = tell("nothing", { onFinalDot: () => dots.push("whole") });
  const later = tell("nothing", { message: contentOf([LINES]), onFinalDot: () => dots.push("in pieces") });
  assert.equal((await tell("count")).kind, "accepted");
  const dying = tell("dies");
  const [one, other] = await Promise.all([under, later, dying]);
  assert.ok(one.kind === "no-answer" && other.kind === "no-answer");
  assert.deepEqual([one.stage, other.stage], ["transaction", "greeting"]);
  assert.match(one.cause, /the thread of SMTP out is gone: Error: it was too much/);
  assert.deepEqual(dots, ["whole"]);
  assert.equal(failures.length, 1);

  const away = { kind: "busy", cause: "the thread of SMTP out is being started again" };
  advance(99);
  assert.deepEqual(await tell("count"), away);
  advance(1);
  assert.equal((await tell("count")).kind, "accepted");
});

test("threads that die at once are started after longer and longer pauses", async (t) => {
  const { tell, advance, failures } = started(t, { code: TOLD });
  for (const pause of [100, 200, 400, 800, 1600, 3200, 5000, 5000]) {
    assert.equal((await tell("dies")).kind, "no-answer");
    advance(pause - 1);
    assert.equal((await tell("count")).kind, "busy");
    advance(1);
  }
  assert.equal((await tell("count")).kind, "accepted");
  assert.equal(failures.length, 8);
});

test("a thread that says nothing any more is ended", async (t) => {
  const { tell, failures } = started(t, { code: TOLD, silenceMs: 600 });
  const attempt = await tell("hangs");
  assert.ok(attempt.kind === "no-answer");
  assert.match(attempt.cause, /it said nothing any more/);
  assert.equal(failures.length, 1);
});

test("who closes waits for a server that has the message, until he leaves", async (t) => {
  const { hop, send, submit, close, failures } = await startedWithHop(t);
  let dots = 0;
  const attempt = send({ onFinalDot: () => dots++ });
  await until(() => hop.now().owed === 1);
  const leave = new AbortController();
  const closed = close(leave.signal);
  assert.deepEqual(await submit({}), { kind: "busy", cause: "the service is stopping" });
  leave.abort();
  const outcome = await attempt;
  assert.ok(outcome.kind === "no-answer" && outcome.stage === "transaction");
  assert.equal(dots, 1);
  await closed;
  await close();
  assert.deepEqual(failures, []);
});

test("a thread that is lost can be closed, and is not started again", async (t) => {
  const { tell, close, advance, failures } = started(t, { code: TOLD });
  await tell("dies");
  await close();
  advance(10_000);
  assert.equal((await tell("count")).kind, "busy");
  assert.equal(failures.length, 1);
});

test("a thread that is idle does not keep the process", async () => {
  const file = fileURLToPath(new URL("./testing/end-by-itself.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 });
  assert.equal(stdout, "no-answer");
});
