import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readLetterTop } from "./letter-top.ts";

const REST = "Received: from a by b; Sat, 21 Nov 2026 12:00:00 +0000\nSubject: x\n\nbody\n";

const tops: readonly [
  what: string,
  top: string,
  fromLine: string | undefined,
  returnPath: string | undefined,
][] = [
  ["neither", "", undefined, undefined],
  ["the mbox line alone", "From bob@x.example Sat Nov 21 12:00:00 2026\n", "bob@x.example", undefined],
  [
    "the mbox line with two blanks",
    "From bob@x.example  Sat Nov 21 12:00:00 2026\n",
    "bob@x.example",
    undefined,
  ],
  ["a null sender as it is written there", "From MAILER-DAEMON Sat Nov 21 12:00:00 2026\n", "", undefined],
  [
    "a daemon with a domain",
    "From MAILER-DAEMON@x.example Sat Nov 21\n",
    "MAILER-DAEMON@x.example",
    undefined,
  ],
  ["blanks in quotes", 'From "a b\\" c"@x.example Sat Nov 21\n', '"a b\\" c"@x.example', undefined],
  ["a Return-Path alone", "Return-Path: <bob@x.example>\n", undefined, "bob@x.example"],
  ["a Return-Path without brackets", "Return-path: bob@x.example\n", undefined, "bob@x.example"],
  ["a folded Return-Path", "Return-Path:\n <bob@x.example>\n", undefined, "bob@x.example"],
  ["both, null", "From MAILER-DAEMON Sat Nov 21\nReturn-Path: <>\n", "", ""],
  ["both, CRLF", "From b@x.example Sat\r\nReturn-Path: <b@x.example>\r\n", "b@x.example", "b@x.example"],
];

for (const [what, top, fromLine, returnPath] of tops) {
  test(`the top of a message: ${what}: is read, and what follows begins where it ends`, () => {
    const read = readLetterTop(Buffer.from(top + REST));
    assert.equal(read.fromLine, fromLine);
    assert.equal(read.returnPath, returnPath);
    assert.equal(read.start, top.length);
  });
}

test("a Return-Path further down is somebody else's, and stays", () => {
  const read = readLetterTop(Buffer.from(`Subject: x\nReturn-Path: <bob@x.example>\n\nbody\n`));
  assert.equal(read.returnPath, undefined);
  assert.equal(read.start, 0);
});

test("Delivered-To above the first Received is this delivery's, and below it an earlier one's", () => {
  const now = "X-Original-To: a@x.example\nDelivered-To: a@x.example\n";
  const read = readLetterTop(
    Buffer.from(`From b@y Sat\n${now}Received: from a\n by b\nDelivered-To: <c@z>\n\nDelivered-To: body\n`),
  );
  assert.deepEqual(read.deliveredNow, ["a@x.example"]);
  assert.deepEqual(read.deliveredBefore, ["c@z"]);
  assert.equal(read.originalTo, "a@x.example");
  const older = readLetterTop(Buffer.from("Received: from a\nX-Original-To: eve@x.example\n\n"));
  assert.equal(older.originalTo, undefined);
});

test("the end of its first line is that of its lines", () => {
  assert.equal(readLetterTop(Buffer.from("Subject: x\r\n\r\n")).lineEnd, "\r\n");
  assert.equal(readLetterTop(Buffer.from("Subject: x\n\n")).lineEnd, "\n");
  assert.equal(readLetterTop(Buffer.from("")).lineEnd, "\n");
});

test("whatever the octets, the message goes on at a line's beginning, and nothing throws", () => {
  const part = fc.constantFrom(
    "From ",
    "Return-Path:",
    "Delivered-To: ",
    "\n",
    "\r\n",
    " ",
    '"',
    "\\",
    "<",
    "x",
    ":",
  );
  fc.assert(
    fc.property(fc.array(part, { maxLength: 40 }), (parts) => {
      const octets = Buffer.from(parts.join(""));
      const { start } = readLetterTop(octets);
      assert.ok(start === 0 || start === octets.length || octets[start - 1] === 0x0a);
    }),
  );
});

test("a line of a megabyte is read in no time", () => {
  const read = readLetterTop(Buffer.from(`From ${'"'.repeat(1_000_000)}\nSubject: x\n\n`));
  assert.ok((read.fromLine ?? "").length <= 2000);
});
