import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readlinkSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough, Readable } from "node:stream";
import { after, test } from "node:test";
import { type Content, forbiddenOctet, isInMemory, wholeContent } from "@homing/mail";
import fc from "fast-check";
import { createBufferBudget } from "./budget.ts";
import type { DiskSpace } from "./disk-space.ts";
import { MEMORY_OCTETS, type Storage } from "./message-sink.ts";
import { MessageReader, type ReadMessage } from "./read-message.ts";

const folder = mkdtempSync(join(tmpdir(), "homing-front-"));
after(() => rmSync(folder, { recursive: true }));

const ROOM: DiskSpace = { hasRoom: async () => true, reserve: () => ({ written() {}, end() {} }) };

function streamOf(...parts: (string | Buffer)[]): Readable {
  return Readable.from(parts.map((part) => Buffer.from(part)));
}

/** As a connection does it, whose client may leave. */
async function readMessage(
  stream: Readable,
  maxOctets: number,
  storage: Storage,
): Promise<ReadMessage | { readonly kind: "lost" }> {
  const reader = new MessageReader(maxOctets, storage);
  try {
    for await (const piece of stream as AsyncIterable<Buffer>) await reader.take(piece);
  } catch {
    await reader.lost();
    return { kind: "lost" };
  }
  return reader.end();
}

/** Files of ours that have no name any more and are still open. */
function openFiles(): number {
  return readdirSync("/proc/self/fd").filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(join(folder, ".message-"));
    } catch {
      return false;
    }
  }).length;
}

async function noneOpen(): Promise<void> {
  while (openFiles() > 0) await new Promise((resolve) => setImmediate(resolve));
}

async function contentOf(stream: Readable, storage: Parameters<typeof readMessage>[2]): Promise<Content> {
  const read = await readMessage(stream, 100_000_000, storage);
  assert.ok(read.kind === "message", JSON.stringify(read));
  return read.content;
}

test("the octets of a message stay taken until the last holder lets go", async () => {
  const budget = createBufferBudget(100);
  const content = await contentOf(streamOf("ab", "c", "def"), { budget });
  assert.equal(content.start.toString(), "abcdef");
  assert.equal(budget.taken(), 6);
  content.release();
  assert.equal(budget.taken(), 0);
});

test("an empty message is a message", async () => {
  assert.equal((await contentOf(streamOf(), { budget: createBufferBudget(0) })).octets, 0);
});

const refusals: [what: string, parts: string[], limit: number, budget: number, reason: string][] = [
  ["too big", ["abc", "defg", "h", "i"], 6, 100, "too-big"],
  ["too much for the budget", ["abc", "de", "f"], 100, 4, "no-memory"],
  ["a NUL", ["abc", "\0", "f"], 100, 100, "a NUL"],
  ["a bare LF over a border", ["abc", "\n", "f"], 100, 100, "a bare LF"],
  ["a bare CR over a border", ["abc\r", "d\r\n", "f"], 100, 100, "a bare CR"],
  ["a bare CR at the end", ["abc\r"], 100, 100, "a bare CR"],
];
for (const [what, parts, limit, octets, reason] of refusals) {
  test(`${what}: all is given back, and the stream is read to its end`, async () => {
    const budget = createBufferBudget(octets);
    const stream = streamOf(...parts);
    assert.deepEqual(await readMessage(stream, limit, { budget }), { kind: "refused", reason });
    assert.equal(budget.taken(), 0);
    assert.ok(stream.readableEnded);
  });
}

test("the octets of other messages count, and stay theirs", async () => {
  const budget = createBufferBudget(10);
  assert.equal((await readMessage(streamOf("12345678"), 100, { budget })).kind, "message");
  assert.equal((await readMessage(streamOf("abc"), 100, { budget })).kind, "refused");
  assert.equal(budget.taken(), 8);
  assert.equal((await readMessage(streamOf("ab"), 100, { budget })).kind, "message");
});

const big = Buffer.from(`\r\n${"0123456789abcdefghijklmnopqrstuvwxyz\r\n".repeat(40_000)}`);

test("beyond 256 KiB the octets are in a file without a name, which several can read at once", async () => {
  const budget = createBufferBudget(MEMORY_OCTETS);
  const pieces: Buffer[] = [];
  for (let at = 0; at < big.length; at += 60_000) pieces.push(big.subarray(at, at + 60_000));
  const content = await contentOf(streamOf(...pieces), { budget, disk: { folder, space: ROOM } });
  assert.equal(budget.taken(), MEMORY_OCTETS);
  assert.equal(content.start.length, MEMORY_OCTETS);
  assert.ok(!isInMemory(content));
  assert.equal(content.octets, big.length);
  assert.deepEqual(readdirSync(folder), []);
  assert.equal(openFiles(), 1);
  const readers = await Promise.all([1, 2, 3].map(() => wholeContent(content)));
  for (const read of readers) assert.ok(read.equals(big));
  content.hold();
  content.release();
  assert.ok((await wholeContent(content)).equals(big));
  content.release();
  await noneOpen();
  assert.equal(budget.taken(), 0);
  await assert.rejects(wholeContent(content), "whoever reads too late is told");
});

test("a message of exactly 256 KiB has no file", async () => {
  const budget = createBufferBudget(MEMORY_OCTETS);
  const content = await contentOf(streamOf(big.subarray(0, MEMORY_OCTETS - 2), "\r\n"), {
    budget,
    disk: { folder, space: ROOM },
  });
  assert.ok(isInMemory(content));
  assert.equal(openFiles(), 0);
});

const troubles: [what: string, disk: { folder: string; space: DiskSpace }, reason: string][] = [
  ["no room", { folder, space: { ...ROOM, hasRoom: async () => false } }, "no-disk-space"],
  ["no folder", { folder: join(folder, "missing"), space: ROOM }, "disk-failure"],
];
for (const [what, disk, reason] of troubles) {
  test(`${what} on the disk: ${reason}, nothing is left, and the stream is read to its end`, async () => {
    const budget = createBufferBudget(MEMORY_OCTETS);
    const stream = streamOf(big, big);
    const read = await readMessage(stream, 1e9, { budget, disk });
    assert.ok(read.kind === "refused" && read.reason === reason, JSON.stringify(read));
    assert.ok(stream.readableEnded);
    assert.equal(budget.taken(), 0);
    await noneOpen();
  });
}

const ends: [what: string, end: (stream: PassThrough) => void][] = [
  ["with an error", (stream) => stream.destroy(new Error("reset"))],
  ["without a word", (stream) => stream.destroy()],
];
const before: [what: string, limit: number, budget: number, first: Buffer][] = [
  ["within its limits", 100, 100, Buffer.from("ab")],
  ["found too big", 3, 100, Buffer.from("ab")],
  ["found without memory", 100, 3, Buffer.from("ab")],
  ["in a file", 1e9, 1e9, big],
];
for (const [how, end] of ends) {
  for (const [what, limit, octets, first] of before) {
    test(`a message ${what}, whose client leaves ${how}, is lost, and all is given back`, async () => {
      const budget = createBufferBudget(octets);
      const stream = new PassThrough();
      const reading = readMessage(stream, limit, { budget, disk: { folder, space: ROOM } });
      for (const chunk of [first, Buffer.from("cd")]) {
        stream.write(chunk);
        await new Promise((resolve) => setImmediate(resolve));
      }
      end(stream);
      assert.deepEqual(await reading, { kind: "lost" });
      assert.equal(budget.taken(), 0);
      await noneOpen();
    });
  }
}

test("a client that sends single octets costs no object for each", async () => {
  const budget = createBufferBudget(1e9);
  const content = await contentOf(streamOf(...Array.from({ length: 5000 }, (_, at) => String(at % 10))), {
    budget,
  });
  assert.equal(content.start.toString(), "0123456789".repeat(500));
});

test("whatever the pieces, the octets taken are those of the message or none", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 20 }), { maxLength: 10 }),
      fc.nat(100),
      fc.nat(100),
      async (parts, limit, octets) => {
        const budget = createBufferBudget(octets);
        const read = await readMessage(streamOf(...parts), limit, { budget });
        const whole = Buffer.from(parts.join(""));
        if (read.kind === "message") assert.deepEqual(read.content.start, whole);
        else assert.ok(whole.length > Math.min(limit, octets) || forbiddenOctet(whole));
        assert.equal(budget.taken(), read.kind === "message" ? whole.length : 0);
      },
    ),
  );
});
