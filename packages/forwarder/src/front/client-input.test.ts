import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createBufferBudget } from "./budget.ts";
import { ClientInput } from "./client-input.ts";
import { MessageReader } from "./read-message.ts";

const MAX = 20;

interface Setting {
  /** Answers commands later; the default at once. */
  readonly later?: boolean;
  readonly budget?: ReturnType<typeof createBufferBudget>;
}

/** A server that takes a message after each DATA, and writes down what it hears. */
function server({ later = false, budget = createBufferBudget(1e6) }: Setting = {}) {
  const heard: string[] = [];
  const owed: (() => void)[] = [];
  const state = { isOver: false };
  const when = (done: () => void): void => {
    if (later) owed.push(done);
    else done();
  };
  const input = new ClientInput(MAX, {
    isOver: () => state.isOver,
    maxOctets: (line) => (line.toString("latin1").startsWith("LONG") ? 2 * MAX : MAX),
    command(line, done) {
      heard.push(line.toString("latin1"));
      if (line.equals(Buffer.from("DATA"))) input.beginMessage(new MessageReader(1e6, { budget }));
      when(done);
    },
    commandTooLong() {
      heard.push("(too long)");
      state.isOver = true;
    },
    content() {},
    messageEnded(message, done) {
      const read = message.end();
      heard.push(read.kind === "message" ? `<${read.content.start.toString("latin1")}>` : read.reason);
      if (read.kind === "message") read.content.release();
      when(done);
    },
    idle() {
      heard.push("(idle)");
    },
  });
  return { input, heard, owed, state };
}

const SESSION = "EHLO a\r\nMAIL\nDATA\r\nHello\r\n..\r\n.x\r\n.\r\nNOOP\r\nDATA\r\n.\r\n\r\nQUIT\r\n";
const HEARD = ["EHLO a", "MAIL", "DATA", "<Hello\r\n.\r\n.x\r\n>", "NOOP", "DATA", "<>", "", "QUIT"];

test("commands and messages are the same wherever the chunks end", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(SESSION.length), { maxLength: 8 }), (cuts) => {
      const { input, heard } = server();
      const ends = [...new Set([0, ...cuts, SESSION.length])].sort((a, b) => a - b);
      for (const [index, end] of ends.entries()) {
        const chunk = SESSION.slice(ends[index - 1] ?? 0, end);
        if (chunk !== "") assert.ok(input.take(Buffer.from(chunk, "latin1")));
      }
      assert.deepEqual(heard, HEARD);
    }),
  );
});

test("what comes while a command runs waits for it, in its order", () => {
  const { input, heard, owed } = server({ later: true });
  for (const char of SESSION) input.take(Buffer.from(char, "latin1"));
  assert.deepEqual(heard, ["EHLO a"]);
  assert.ok(input.isBusy && input.hasMore);
  while (owed.length > 0) owed.shift()?.();
  assert.deepEqual(heard, [...HEARD, "(idle)"]);
  assert.ok(!input.isBusy && !input.hasMore);
});

test("a client that sends on while a command runs is told to wait", () => {
  const { input, heard, owed } = server({ later: true });
  assert.ok(input.take(Buffer.from("NOOP\r\n")));
  assert.ok(input.take(Buffer.alloc(10_000, "\n")));
  assert.equal(input.take(Buffer.alloc(10_000, "\n")), false);
  assert.deepEqual(heard, ["NOOP"]);
  assert.equal(owed.length, 1);
});

test("a chunk full of commands lets others have their turn", async () => {
  const { input, heard } = server();
  input.take(Buffer.from("NOOP\r\n".repeat(250)));
  assert.equal(heard.length, 100);
  assert.ok(input.isBusy);
  await new Promise(setImmediate);
  assert.equal(heard.length, 200);
  await new Promise(setImmediate);
  assert.equal(heard.filter((line) => line === "NOOP").length, 250);
  assert.equal(heard.at(-1), "(idle)");
});

for (const [what, chunks] of [
  ["at once", [`${"x".repeat(MAX + 1)}\r\nNOOP\r\n`]],
  ["in pieces, without an end", ["x".repeat(MAX), "xx", "NOOP\r\n"]],
] as const) {
  test(`a command that is too long, ${what}, is the last one`, () => {
    const { input, heard } = server();
    for (const chunk of chunks) input.take(Buffer.from(chunk));
    assert.deepEqual(heard, ["(too long)"]);
  });
}

test("a command may be as long as allowed, with its CRLF behind", () => {
  const { input, heard } = server();
  input.take(Buffer.from(`${"x".repeat(MAX)}\r\n`));
  assert.deepEqual(heard, ["x".repeat(MAX)]);
});

test("when the session is over, nothing that waits is run", () => {
  const { input, heard, owed, state } = server({ later: true });
  input.take(Buffer.from("QUIT\r\nNOOP\r\n"));
  input.take(Buffer.from("NOOP\r\n"));
  state.isOver = true;
  owed[0]?.();
  assert.deepEqual(heard, ["QUIT", "(idle)"]);
  assert.equal(input.hasMore, false);
});

test("the last command may lack its line end, and only the last", () => {
  const { input, heard } = server();
  input.take(Buffer.from("NOOP\r\nQUIT"));
  input.end();
  assert.deepEqual(heard, ["NOOP", "QUIT", "(idle)"]);
});

test("a message whose client goes away is given back", async () => {
  const budget = createBufferBudget(1e6);
  const { input, owed } = server({ later: true, budget });
  input.take(Buffer.from("DATA\r\n"));
  owed.shift()?.();
  input.take(Buffer.from("Hello\r\n"));
  assert.equal(budget.taken(), 5, "the line end may be part of the end");
  assert.ok(input.inMessage);
  input.lost();
  assert.ok(!input.inMessage);
  await new Promise(setImmediate);
  assert.equal(budget.taken(), 0);
});

test("from DATA to the answer the client is in a message", () => {
  const { input, owed } = server({ later: true });
  input.take(Buffer.from("DATA\r\n"));
  assert.ok(input.inMessage);
  owed.shift()?.();
  input.take(Buffer.from("x\r\n.\r\n"));
  assert.ok(input.inMessage && input.isBusy);
  owed.shift()?.();
  assert.ok(!input.inMessage && !input.isBusy);
});

test("a line that may be longer is read to its own limit, and one octet more is too long, with and without an end", () => {
  const line = `LONG${"x".repeat(2 * MAX - 4)}`;
  const { input, heard } = server();
  for (const octet of `${line}\r\n`) input.take(Buffer.from(octet));
  assert.deepEqual(
    heard.filter((one) => one !== "(idle)"),
    [line],
  );
  for (const end of ["x\r\n", "xx", "x".repeat(500)]) {
    const other = server();
    other.input.take(Buffer.from(line + end));
    assert.deepEqual(other.heard, ["(too long)"], end.length.toString());
  }
});
