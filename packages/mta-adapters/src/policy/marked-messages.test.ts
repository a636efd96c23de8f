import assert from "node:assert/strict";
import { test } from "node:test";
import { createMarkedMessages } from "./marked-messages.ts";

const MINUTE = 60_000;

test("a message is marked once", () => {
  const marked = createMarkedMessages();
  assert.deepEqual(
    ["1.2.3", "1.2.3", "1.2.4", "1.2.3"].map((instance) => marked.mark(instance, 0)),
    [true, false, true, false],
  );
});

test("a message is kept for ten minutes behind its last recipient", () => {
  const marked = createMarkedMessages();
  assert.equal(marked.mark("slow", 0), true);
  assert.equal(marked.mark("slow", 9 * MINUTE), false);
  assert.equal(marked.mark("slow", 18 * MINUTE), false);
  assert.equal(marked.mark("other", 29 * MINUTE), true);
  assert.equal(marked.mark("slow", 29 * MINUTE), true);
});

test("a clock that is set back keeps nothing for ever", () => {
  const marked = createMarkedMessages();
  marked.mark("early", 100 * MINUTE);
  marked.mark("other", 0);
  assert.equal(marked.mark("early", 0), true);
});

test("a message without an instance cannot be told from others", () => {
  const marked = createMarkedMessages();
  for (const instance of ["", "", "x".repeat(101), "x".repeat(101)])
    assert.equal(marked.mark(instance, 0), true);
});

test("of too many messages the oldest are forgotten", () => {
  const marked = createMarkedMessages();
  for (let count = 0; count <= 10_000; count++) marked.mark(`${count}`, 0);
  assert.equal(marked.mark("10000", 0), false);
  assert.equal(marked.mark("1", 0), false);
  assert.equal(marked.mark("0", 0), true);
});

test("of two questions about a message the later one is awaited, until both have ended", () => {
  const marked = createMarkedMessages();
  const first = marked.begin("1.2.3");
  assert.equal(first.isAwaited(), true);
  const again = marked.begin("1.2.3");
  const other = marked.begin("1.2.4");
  first.end();
  assert.deepEqual(
    [first, again, other].map((question) => question.isAwaited()),
    [false, true, true],
  );
  again.end();
  assert.equal(again.isAwaited(), false);
  const unnamed = [marked.begin(""), marked.begin("")];
  assert.ok(unnamed.every((question) => question.isAwaited()));
});
