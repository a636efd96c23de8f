// What becomes of stdin, however it is cut into pieces.
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BadMessage, mailLines, readMessage } from "./message-input.ts";

const RULES = { dotEnds: true, maxOctets: 10_000_000 };

async function* pieces(texts: readonly string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text, "latin1");
}

async function lines(texts: readonly string[], rules = RULES): Promise<string> {
  let whole = "";
  for await (const piece of mailLines(pieces(texts), rules)) whole += piece.toString("latin1");
  return whole;
}

const cases: readonly [what: string, text: string, dotEnds: boolean, expected: string][] = [
  ["LF becomes CRLF", "a\nb\n", true, "a\r\nb\r\n"],
  ["CRLF stays, also beside LF", "a\r\nb\nc\r\n", true, "a\r\nb\r\nc\r\n"],
  ["a last line without an end gets one", "a\nb", true, "a\r\nb\r\n"],
  ["nothing is nothing", "", true, ""],
  ["a line that is a dot ends the message", "a\n.\nb\n", true, "a\r\n"],
  ["a dot ends it with CRLF, too", "a\r\n.\r\nb", true, "a\r\n"],
  ["a dot in the first line ends it", ".\na\n", true, ""],
  ["a dot in the last line, without an end, ends it", "a\n.", true, "a\r\n"],
  ["with -i a dot is a line", "a\n.\nb\n", false, "a\r\n.\r\nb\r\n"],
  ["with -i a dot at the end is a line", "a\n.", false, "a\r\n.\r\n"],
  ["two dots and a dot in a line end nothing", "..\n.a\nb.\n", true, "..\r\n.a\r\nb.\r\n"],
];

for (const [what, text, dotEnds, expected] of cases) {
  test(`${what}`, async () => {
    const rules = { ...RULES, dotEnds };
    assert.equal(await lines([text], rules), expected);
    assert.equal(await lines([...text], rules), expected);
  });
}

test("it is the same message, wherever its pieces end", async () => {
  const octet = fc.constantFrom("a", ".", "\n", "\r\n", ".", "\n.\n", "\xe9");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(octet, { maxLength: 5 }), { maxLength: 8 }),
      fc.boolean(),
      async (all, dotEnds) => {
        const texts = all.map((one) => one.join(""));
        const rules = { ...RULES, dotEnds };
        assert.equal(await lines(texts, rules), await lines([texts.join("")], rules));
      },
    ),
  );
});

for (const [what, texts] of [
  ["a bare CR", ["a\rb\n"]],
  ["a CR at the very end", ["a\n", "b\r"]],
  ["a CR whose next piece is no LF", ["a\r", "b\n"]],
  ["two CR before a LF", ["a\r\r\n"]],
  ["a dot line with a bare CR", ["a\n.\r"]],
  ["a NUL", ["a\0b\n"]],
] as const) {
  test(`${what} is refused`, async () => {
    await assert.rejects(lines(texts), BadMessage);
  });
}

test("a message over the limit is refused while it is read", async () => {
  let read = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      read += 1;
      yield Buffer.from("0123456789abcde\n".repeat(1000));
    }
  }
  await assert.rejects(readMessage(endless(), { dotEnds: true, maxOctets: 3_000_000 }), BadMessage);
  assert.ok(read < 200, `${read}`);
});

test("a large message is the same from its file", async () => {
  const text = `Subject: x\n\n${"0123456789abcde\n".repeat(200_000)}`;
  await using input = await readMessage(pieces([text]), RULES);
  assert.equal(input.whole, undefined);
  const all: Buffer[] = [];
  for await (const piece of input.from(14)) all.push(piece);
  const expected = text.replaceAll("\n", "\r\n");
  assert.equal(input.octets, expected.length);
  assert.ok(Buffer.concat(all).toString("latin1") === expected.slice(14));
});

test("an input that fails is no message", async () => {
  async function* broken(): AsyncGenerator<Buffer> {
    yield Buffer.from("Subject: x\n\nhalf");
    throw new Error("EIO");
  }
  await assert.rejects(readMessage(broken(), RULES), /EIO/);
});
