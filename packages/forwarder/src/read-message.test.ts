import assert from "node:assert/strict";
import { PassThrough, Readable } from "node:stream";
import { test } from "node:test";
import fc from "fast-check";
import { type BufferBudget, createBufferBudget, readMessage } from "./read-message.ts";

/** A budget that remembers. */
class Ledger implements BufferBudget {
  readonly #limit: number;
  held = 0;
  peak = 0;

  constructor(limit = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  take(octets: number): boolean {
    if (this.held + octets > this.#limit) return false;
    this.held += octets;
    this.peak = Math.max(this.peak, this.held);
    return true;
  }

  give(octets: number): void {
    this.held -= octets;
    assert.ok(this.held >= 0, "more was given back than taken");
  }
}

function streamOf(...parts: string[]): Readable {
  return Readable.from(parts.map((part) => Buffer.from(part)));
}

test("the octets of a message stay taken until the caller gives them back", async () => {
  const budget = new Ledger();
  const read = await readMessage(streamOf("ab", "c", "def"), 6, budget);
  assert.ok(read.kind === "message");
  assert.equal(read.message.toString(), "abcdef");
  assert.equal(budget.held, 6);
});

test("an empty message is a message", async () => {
  const read = await readMessage(streamOf(), 6, new Ledger());
  assert.ok(read.kind === "message");
  assert.equal(read.message.length, 0);
});

test("too big: all is given back, and the stream is read to its end", async () => {
  const budget = new Ledger();
  const stream = streamOf("abc", "defg", "h", "i");
  assert.deepEqual(await readMessage(stream, 6, budget), { kind: "too-big" });
  assert.equal(budget.held, 0);
  assert.ok(stream.readableEnded);
});

test("one octet over the limit never comes into memory", async () => {
  const budget = new Ledger();
  await readMessage(streamOf("abc", "defg"), 6, budget);
  assert.equal(budget.peak, 3);
});

test("no memory: all is given back, and the stream is read to its end", async () => {
  const budget = new Ledger(4);
  const stream = streamOf("abc", "de", "f");
  assert.deepEqual(await readMessage(stream, 100, budget), { kind: "no-memory" });
  assert.equal(budget.held, 0);
  assert.ok(stream.readableEnded);
});

test("the octets of other messages count, and stay theirs", async () => {
  const budget = new Ledger(10);
  assert.equal((await readMessage(streamOf("12345678"), 100, budget)).kind, "message");
  assert.equal((await readMessage(streamOf("abc"), 100, budget)).kind, "no-memory");
  assert.equal(budget.held, 8);
  assert.equal((await readMessage(streamOf("ab"), 100, budget)).kind, "message");
});

const ends: [what: string, end: (stream: PassThrough) => void][] = [
  ["with an error", (stream) => stream.destroy(new Error("reset"))],
  ["without a word", (stream) => stream.destroy()],
];
const before: [what: string, limit: number, budget: number][] = [
  ["within its limits", 100, 100],
  ["found too big", 3, 100],
  ["found without memory", 100, 3],
];
for (const [how, end] of ends) {
  for (const [what, limit, octets] of before) {
    test(`a message ${what}, whose client leaves ${how}, is lost, and all is given back`, async () => {
      const budget = new Ledger(octets);
      const stream = new PassThrough();
      const reading = readMessage(stream, limit, budget);
      for (const chunk of ["ab", "cd"]) {
        stream.write(chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      end(stream);
      assert.deepEqual(await reading, { kind: "lost" });
      assert.equal(budget.held, 0);
    });
  }
}

test("whatever the pieces, the octets taken are those of the message or none", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), { maxLength: 10 }),
      fc.nat(100),
      fc.nat(100),
      async (parts, limit, octets) => {
        const budget = new Ledger(octets);
        const read = await readMessage(streamOf(...parts), limit, budget);
        const whole = Buffer.concat(parts.map((part) => Buffer.from(part)));
        assert.ok(budget.peak <= Math.min(limit, octets));
        if (read.kind === "message") assert.deepEqual(read.message, whole);
        else assert.ok(whole.length > Math.min(limit, octets));
        assert.equal(budget.held, read.kind === "message" ? whole.length : 0);
      },
    ),
  );
});

test("a budget gives what it has, and what came back again", () => {
  const budget = createBufferBudget(10);
  assert.ok(budget.take(10));
  assert.ok(!budget.take(1));
  assert.ok(budget.take(0));
  budget.give(4);
  assert.ok(!budget.take(5));
  assert.ok(budget.take(4));
});
