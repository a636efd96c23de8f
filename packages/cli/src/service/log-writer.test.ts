import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogWriter } from "./log-writer.ts";

function writer() {
  const written: string[] = [];
  const waiting: (() => void)[] = [];
  const log = createLogWriter({
    write: (lines) => written.push(lines),
    now: () => new Date(0),
    soon: (flush) => waiting.push(flush),
  });
  return { ...log, written, waiting };
}

test("lines of a moment are written together, in their order, each a document", () => {
  const { log, written, waiting } = writer();
  log({ event: "a" });
  log({ event: "b", text: "x\ny" });
  assert.deepEqual(written, []);
  assert.equal(waiting.length, 1);
  waiting[0]?.();
  assert.deepEqual(written, [
    '{"time":"1970-01-01T00:00:00.000Z","event":"a"}\n{"time":"1970-01-01T00:00:00.000Z","event":"b","text":"x\\ny"}\n',
  ]);
  log({ event: "c" });
  assert.equal(waiting.length, 2);
});

test("what is collected can be written at once, and is not written again", () => {
  const { log, flush, written, waiting } = writer();
  log({ event: "a" });
  flush();
  assert.equal(written.length, 1);
  waiting[0]?.();
  assert.equal(written.length, 1);
});

test("a burst does not wait", () => {
  const { log, written } = writer();
  for (let count = 0; count < 20; count++) log({ event: "x".repeat(10_000) });
  assert.ok(written.length >= 2);
  assert.ok(written.every((lines) => lines.length < 100_000 && lines.endsWith("\n")));
});
