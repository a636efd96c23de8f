import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { createDotStuffer } from "./dot-stuffing.ts";

function stuffed(pieces: readonly Buffer[]): string {
  const { stuff, end } = createDotStuffer();
  return Buffer.concat([...pieces.map(stuff), end()]).toString("latin1");
}

/** RFC 5321 §4.5.2, octet by octet. */
function naive(message: string): string {
  let out = "";
  for (let at = 0; at < message.length; at++) {
    if (message[at] === "." && (at === 0 || message[at - 1] === "\n")) out += ".";
    out += message[at];
  }
  return out === "" || out.endsWith("\n") ? `${out}.\r\n` : `${out}\r\n.\r\n`;
}

/** Cut at these places; empty pieces among them. */
function cut(message: Buffer, places: readonly number[]): Buffer[] {
  const at = [
    0,
    ...places.map((place) => place % (message.length + 1)).sort((a, b) => a - b),
    message.length,
  ];
  return at.slice(1).map((end, index) => message.subarray(at[index], end));
}

const table: [message: string, wire: string][] = [
  ["", ".\r\n"],
  [".", "..\r\n.\r\n"],
  ["..", "...\r\n.\r\n"],
  [".\r\n", "..\r\n.\r\n"],
  ["a\r\n.b\r\n..\r\n", "a\r\n..b\r\n...\r\n.\r\n"],
  ["a.\r\n", "a.\r\n.\r\n"],
  ["a", "a\r\n.\r\n"],
];
for (const [message, wire] of table) {
  test(`${JSON.stringify(message)} is ${JSON.stringify(wire)} on the wire`, () => {
    assert.equal(stuffed([Buffer.from(message)]), wire);
  });
}

test("stuffing by pieces, however a message is cut, is stuffing octet by octet", () => {
  const message = fc
    .array(fc.constantFrom(".", "\r\n", "\r\n.", "a", "\n", "\r", "\xff", "."), { maxLength: 60 })
    .map((parts) => parts.join(""));
  fc.assert(
    fc.property(message, fc.array(fc.nat(200), { maxLength: 8 }), (text, places) => {
      assert.equal(stuffed(cut(Buffer.from(text, "latin1"), places)), naive(text));
    }),
    { numRuns: 2_000 },
  );
});

test("a piece without a dot at a line start is passed on, not copied", () => {
  const piece = Buffer.from("a.b\r\nc..\r\n");
  assert.equal(createDotStuffer().stuff(piece), piece);
});

test("the next message is not touched by the piece that came before it", () => {
  const piece = Buffer.from(".a\r\n.b\r\n");
  createDotStuffer().stuff(piece);
  assert.equal(String(piece), ".a\r\n.b\r\n");
});
