import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Content,
  countedHolds,
  isInMemory,
  memoryContent,
  wholeContent,
  withFields,
} from "./content.ts";

/** As of a message that is too large for memory. */
function inPieces(texts: readonly string[]): Content {
  const pieces = texts.map((text) => Buffer.from(text));
  return {
    octets: Buffer.concat(pieces).length,
    start: pieces[0] ?? Buffer.alloc(0),
    async *pieces() {
      yield* pieces;
    },
    ...countedHolds(undefined),
  };
}

async function read(content: Content): Promise<string> {
  let text = "";
  for await (const piece of content.pieces()) text += piece.toString();
  return text;
}

for (const [where, content] of [
  ["in memory", memoryContent(Buffer.from("B: 2\r\n\r\nbody\r\n"))],
  ["elsewhere", inPieces(["B: 2\r\n\r\n", "bo", "dy\r\n"])],
] as const) {
  test(`fields on top of a message ${where} leave every octet below where it was`, async () => {
    const longer = withFields(content, ["A: 1\r\n"]);
    assert.equal(await read(longer), "A: 1\r\nB: 2\r\n\r\nbody\r\n");
    assert.equal((await wholeContent(longer)).toString(), "A: 1\r\nB: 2\r\n\r\nbody\r\n");
    assert.equal(longer.octets, 20);
    assert.ok(longer.start.toString().startsWith("A: 1\r\nB: 2\r\n"));
    assert.equal(isInMemory(longer), isInMemory(content));
  });
}

test("what a content holds is given back once, when its last holder lets go", () => {
  let given = 0;
  const content = memoryContent(Buffer.from("x"), () => given++);
  const longer = withFields(content, ["A: 1\r\n"]);
  longer.hold();
  content.release();
  assert.equal(given, 0);
  longer.release();
  assert.equal(given, 1);
  assert.throws(() => content.release(), /once too often/);
  assert.throws(() => content.hold(), /let go/);
  assert.equal(given, 1);
});

test("parts stay as they are where the first has the header, and are put together where it has not, or all is small", async () => {
  const [header, body] = [Buffer.from("A: 1\r\n\r\n"), Buffer.alloc(20_000, "b")];
  const large = memoryContent([header, body]);
  assert.equal(large.start, header);
  assert.equal(large.parts?.[1], body);
  assert.equal(large.octets, 20_008);
  assert.deepEqual(await wholeContent(large), Buffer.concat([header, body]));
  const cut = memoryContent([header.subarray(0, 3), header.subarray(3), body]);
  assert.deepEqual(cut.start, Buffer.concat([header, body]));
  const small = memoryContent([header, Buffer.from("b")]);
  assert.deepEqual(small.start.toString(), "A: 1\r\n\r\nb");
  assert.equal(small.parts?.length, 1);
  assert.equal(memoryContent([]).octets, 0);
});
