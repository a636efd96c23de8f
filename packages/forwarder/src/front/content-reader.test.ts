import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { stuffed } from "../testing/smtp-peers.ts";
import { createContentReader } from "./content-reader.ts";

/** Reads chunks to the final dot. */
function readAll(chunks: readonly Buffer[]): { content: string; rest: string | undefined } {
  const reader = createContentReader();
  const content: Buffer[] = [];
  for (const [index, chunk] of chunks.entries()) {
    const read = reader.read(chunk);
    content.push(read.content);
    if (!read.rest) continue;
    const rest = Buffer.concat([read.rest, ...chunks.slice(index + 1)]);
    return { content: Buffer.concat(content).toString("latin1"), rest: rest.toString("latin1") };
  }
  return { content: Buffer.concat(content).toString("latin1"), rest: undefined };
}

const wire: [octets: string, content: string, rest: string | undefined][] = [
  [".\r\n", "", ""],
  [".\r\nQUIT\r\n", "", "QUIT\r\n"],
  ["a\r\n.\r\n", "a\r\n", ""],
  ["..\r\n.\r\n", ".\r\n", ""],
  ["..\r\n..\r\n.\r\nx", ".\r\n.\r\n", "x"],
  ["...\r\n.\r\n", "..\r\n", ""],
  ["\r\n.\r\n", "\r\n", ""],
  [".a\r\n.\r\n", ".a\r\n", ""],
  ["a\r\n.\r\r\n.\r\n", "a\r\n.\r\r\n", ""],
  ["a\n.\n\r\n.\r\n", "a\n.\n\r\n", ""],
  ["a\r\n.\n.\r\n", "a\r\n.\n.", undefined],
  ["\n..\r\n.\r\n", "\n..\r\n", ""],
];
for (const [octets, content, rest] of wire) {
  test(`${JSON.stringify(octets)} on the wire is ${JSON.stringify(content)}, however it is cut in two`, () => {
    const all = Buffer.from(octets, "latin1");
    for (let at = 0; at <= all.length; at++) {
      const read = readAll([all.subarray(0, at), all.subarray(at)]);
      assert.equal(read.rest, rest);
      // What may be part of the end is held back.
      if (rest !== undefined) assert.equal(read.content, content, `cut at ${at}`);
    }
  });
}

test("whatever the message and the chunks, unstuffing gives what was stuffed, and all that came behind", () => {
  const part = fc.constantFrom("\r\n", "\r\n.", ".", "x", "\r", "\n", "\0");
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), fc.array(fc.nat(60), { maxLength: 5 }), (parts, cuts) => {
      const message = `${parts.join("")}\r\n`;
      const octets = Buffer.from(`${stuffed(message)}MAIL`, "latin1");
      const places = [0, ...cuts.sort((a, b) => a - b), octets.length];
      const chunks = places.slice(1).map((place, index) => octets.subarray(places[index], place));
      assert.deepEqual(readAll(chunks), { content: message, rest: "MAIL" });
    }),
  );
});
