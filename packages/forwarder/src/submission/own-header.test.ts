import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { readHeader, readMailboxList } from "./header-lists.ts";
import { checkHeader } from "./own-header.ts";

const own = {
  mailboxes: new Set(["alice@own.example", "a b@own.example"]),
  domains: new Set(["all.example"]),
};

function check(header: string): string {
  const start = Buffer.from(`${header}\r\n\r\nbody\r\nFrom: boss@corp.example\r\n`);
  const checked = checkHeader({ start, own, id: "id1", hostname: "mx.test", now: 1_800_000_000 });
  if (checked.kind === "own") return checked.missing === "" ? "own" : `own, with\n${checked.missing}`;
  const { code, enhanced } = checked.reply;
  return `${checked.reason} ${code} ${enhanced}`;
}

const REST = "Date: Thu, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <1@own.example>";

const taken = [
  "From: alice@own.example",
  "from:alice@own.example",
  "FROM: Alice <ALICE@OWN.example>",
  "From: <alice@own.example>",
  'From: "Alice, of Own" <alice@own.example>',
  'From: "a \\"b\\" <x>" <alice@own.example>',
  "From: Alice B. Own <alice@own.example>",
  "From: =?utf-8?q?Alice_=C3=96?= <alice@own.example>",
  "From: Älice Öwn <alice@own.example>",
  "From: Alice\r\n\t<alice@own.example>",
  "From:\r\n alice@own.example",
  "From: alice@own.example (Alice)",
  "From: (Alice) alice@own.example",
  'From: "a b"@own.example',
  'From: <"a b"@own.example>',
  "From: alice@own.example, Any <any.one@all.example>",
  "From: alice@own.example\r\nSender: Alice <alice@own.example>",
  "From: x@ALL.example\r\nSubject: From: boss@corp.example",
];
for (const header of taken) {
  test(`${JSON.stringify(header)} is the person's own`, () =>
    assert.equal(check(`${header}\r\n${REST}`), "own"));
}

const refused: [header: string, outcome: string][] = [
  ["Subject: x", "no-from 550 5.7.1"],
  ["X-From: alice@own.example", "no-from 550 5.7.1"],
  ["From: boss@corp.example", "from-not-own 550 5.7.1"],
  ["From: alice@own.example, boss@corp.example", "from-not-own 550 5.7.1"],
  ["From: boss@corp.example, alice@own.example", "from-not-own 550 5.7.1"],
  ["From: alice@own.example.corp.example", "from-not-own 550 5.7.1"],
  ["From: x@sub.all.example", "from-not-own 550 5.7.1"],
  ["From: =?utf-8?q?alice?=@own.example", "from-not-own 550 5.7.1"],
  ["From: =?utf-8?q?alice=40own.example?=", "from-syntax 550 5.7.1"],
  ["From: alice@own.example\r\nFrom: boss@corp.example", "several-from 550 5.7.1"],
  ["From: alice@own.example\r\nFROM: alice@own.example", "several-from 550 5.7.1"],
  ["From:", "from-syntax 550 5.7.1"],
  ["From: ,", "from-syntax 550 5.7.1"],
  ["From: alice@own.example,", "from-syntax 550 5.7.1"],
  ["From: Group: alice@own.example;", "from-syntax 550 5.7.1"],
  ["From: undisclosed:;", "from-syntax 550 5.7.1"],
  ["From: boss@corp.example <alice@own.example>", "from-syntax 550 5.7.1"],
  ["From: Boss boss@corp.example <alice@own.example>", "from-syntax 550 5.7.1"],
  ["From: <boss@corp.example> alice@own.example", "from-syntax 550 5.7.1"],
  ["From: <alice@own.example> <boss@corp.example>", "from-syntax 550 5.7.1"],
  ["From: alice@own.example boss@corp.example", "from-syntax 550 5.7.1"],
  ["From: (<boss@corp.example>) alice@own.example", "from-syntax 550 5.7.1"],
  ["From: (a (b) c) alice@own.example", "from-syntax 550 5.7.1"],
  ["From: (open alice@own.example", "from-syntax 550 5.7.1"],
  ["From: <@boss.example:alice@own.example>", "from-syntax 550 5.7.1"],
  ["From: <boss@corp.example@own.example>", "from-syntax 550 5.7.1"],
  ['From: "boss@corp.example"@own.example', "from-not-own 550 5.7.1"],
  ["From: alice @own.example", "from-syntax 550 5.7.1"],
  ["From: alice@ own.example", "from-syntax 550 5.7.1"],
  ["From: < alice@own.example>", "from-syntax 550 5.7.1"],
  ['From: "open <alice@own.example>', "from-syntax 550 5.7.1"],
  ["From: <alice@own.example", "from-syntax 550 5.7.1"],
  ["From: alice", "from-syntax 550 5.7.1"],
  ["From: Alice\x0b <alice@own.example>", "from-syntax 550 5.7.1"],
  ["From: Al\u0085ice <alice@own.example>", "from-syntax 550 5.7.1"],
  ["From : alice@own.example", "header-syntax 550 5.6.0"],
  ["From alice Thu Jan 1\r\nFrom: alice@own.example", "header-syntax 550 5.6.0"],
  ["no field\r\nFrom: alice@own.example", "header-syntax 550 5.6.0"],
  [": x\r\nFrom: alice@own.example", "header-syntax 550 5.6.0"],
  ["Sübject: x\r\nFrom: alice@own.example", "header-syntax 550 5.6.0"],
  ["From: alice@own.example\r\nSender: boss@corp.example", "sender-not-own 550 5.7.1"],
  ["From: alice@own.example\r\nSender:", "sender-not-own 550 5.7.1"],
  ["From: alice@own.example\r\nSender: alice@own.example, x@all.example", "sender-not-own 550 5.7.1"],
  [
    "From: alice@own.example\r\nSender: alice@own.example\r\nSender: x@all.example",
    "sender-not-own 550 5.7.1",
  ],
];
for (const [header, outcome] of refused) {
  test(`${JSON.stringify(header)} is ${outcome}`, () => assert.equal(check(`${header}\r\n${REST}`), outcome));
}

test("a message without header has no From", () => {
  const start = Buffer.from("\r\nFrom: alice@own.example\r\n");
  const checked = checkHeader({ start, own, id: "id1", hostname: "mx.test", now: 0 });
  assert.ok(checked.kind === "refuse" && checked.reason === "no-from");
});

test("Date and Message-ID are added where they are missing, and only there", () => {
  const date = "Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n";
  const id = "Message-ID: <id1@mx.test>\r\n";
  assert.equal(check("From: alice@own.example"), `own, with\n${date}${id}`);
  assert.equal(check("From: alice@own.example\r\nDATE: x"), `own, with\n${id}`);
  assert.equal(check("From: alice@own.example\r\nmessage-id: <1@x>"), `own, with\n${date}`);
  assert.equal(
    check("From: alice@own.example\r\nX-Date: 1\r\nIn-Reply-To: <1@x>"),
    `own, with\n${date}${id}`,
  );
});

test("no text makes the reader throw, and none that it reads holds another address than its mailboxes say", () => {
  const piece = fc.constantFrom(
    "alice@own.example",
    "boss@corp.example",
    "<",
    ">",
    ",",
    '"',
    "(",
    ")",
    "\\",
    ":",
    ";",
    " ",
    "@",
    "x",
    "\r\n ",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const value = pieces.join("").replaceAll("\r\n", "");
      const read = readMailboxList(value);
      if (!read) return;
      // What is left without quoted strings are the addresses that any reader could show.
      const bare = value.replaceAll(/"(?:[^"\\]|\\.)*"(?!@)/g, "");
      assert.equal(
        read.length,
        bare.split("@").length - 1 - read.filter(({ localPart }) => localPart.includes("@")).length,
      );
    }),
    { numRuns: 3000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (octets) => {
      readHeader(Buffer.from(octets), new Set(["from"]));
      readMailboxList(Buffer.from(octets).toString());
    }),
  );
});

test("a long value is read in time that grows with it alone", () => {
  const read = (count: number): number => {
    const value = `${"(a) ".repeat(count)}${"x ".repeat(count)}<alice@own.example>`;
    const start = performance.now();
    assert.equal(readMailboxList(value)?.length, 1);
    return performance.now() - start;
  };
  read(20_000);
  assert.ok(read(20_000) < 2000);
});
