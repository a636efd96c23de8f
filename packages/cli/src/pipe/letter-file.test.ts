import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { piecesOf, readHeader, withCrlf, writeLetter } from "./letter-file.ts";

async function* cut(text: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < text.length; at += size) yield Buffer.from(text.slice(at, at + size), "latin1");
}

async function all(pieces: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const piece of pieces) parts.push(piece);
  return Buffer.concat(parts).toString("latin1");
}

const letters = [
  "A: b\n\nbody\n\nmore\n",
  "A: b\r\n\r\nbody\r\n",
  "\nbody\n",
  "\r\nbody",
  "A: b\n",
  "",
  "A: b\n c\n\n",
];

for (const letter of letters) {
  test(`the header of ${JSON.stringify(letter)} is held whole, in whatever pieces it comes, and nothing is lost`, async () => {
    for (const size of [1, 2, 3, 100]) {
      const input = await readHeader(cut(letter, size));
      assert.ok(input !== "too-long");
      const end = /^\r?\n|\n\r?\n/.exec(letter);
      const header = end ? end.index + end[0].length : letter.length;
      assert.ok(input.start.length >= header && input.start.length < header + size);
      assert.equal(input.start.toString("latin1") + (await all(input.rest)), letter);
    }
  });
}

test("a header without end is given up after a megabyte", async () => {
  let sent = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      sent += 65_536;
      yield Buffer.alloc(65_536, "x\n");
    }
  }
  assert.equal(await readHeader(endless()), "too-long");
  assert.ok(sent < 2 * 1024 * 1024);
});

test("a letter is in a file without a name, from its first octet on", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "homing-test-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const text = `${"x".repeat(200_000)}\n`;
  await using letter = await writeLetter(folder, cut(text, 70_000));
  assert.deepEqual(await readdir(folder), []);
  assert.equal(letter.octets, text.length);
  assert.equal(letter.eightBit, false);
  assert.equal(await all(piecesOf(letter.file)), text);
  await using eight = await writeLetter(folder, cut("\xe9", 1));
  assert.equal(eight.eightBit, true);
});

test("whatever the pieces, every line leaves with CRLF, and what has it already keeps it", async () => {
  const octet = fc.constantFrom("a", "\n", "\r\n", "b");
  await fc.assert(
    fc.asyncProperty(
      fc.array(octet, { maxLength: 30 }),
      fc.integer({ min: 1, max: 5 }),
      async (parts, size) => {
        const text = parts.join("");
        const lines = text.replace(/\r\n|\n/g, "\r\n");
        const expected = lines === "" || lines.endsWith("\r\n") ? lines : `${lines}\r\n`;
        assert.equal(await all(withCrlf(cut(text, size))), expected);
      },
    ),
  );
});
