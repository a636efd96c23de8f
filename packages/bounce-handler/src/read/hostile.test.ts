// Anybody may send a bounce: what is meant to hurt the reader costs it little time and no memory.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { READER_LIMITS } from "./limits.ts";
import { createBounceReader, readBounce } from "./reader.ts";
import { TEXT_RULES } from "./rules.ts";

const FOLDER = join(import.meta.dirname, "../../testdata/dsn");
const sample = (name: string) => readFileSync(join(FOLDER, name));

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

const MIB = 1024 * 1024;
const REPORT = "From: <>\r\nContent-Type: multipart/report; boundary=b\r\n\r\n";
const STATUS = "--b\r\nContent-Type: message/delivery-status\r\n\r\n";
const BLOCK = "Final-Recipient: rfc822; bob@example.org\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n";

const endless: readonly [what: string, head: string, unit: string][] = [
  ["one line of text", "From: <>\r\n\r\n", "x"],
  ["lines of text", "From: <>\r\n\r\n", "Hello, this is a line of some length.\r\n"],
  ["empty lines", "From: <>\r\n\r\n", "\n"],
  ["an HTML part", "From: <>\r\nContent-Type: text/html\r\n\r\n", "<p>"],
  ["a header that never ends", "", "Subject: x\r\n"],
  ["a field that never ends", "Content-Type: ", "x"],
  ["a folded field that never ends", "Content-Type: x\r\n", " ;a=b\r\n"],
  ["a status part", REPORT + STATUS, BLOCK],
  [
    "a status part in base64, on one line",
    `${REPORT + STATUS.trimEnd()}\r\nContent-Transfer-Encoding: base64\r\n\r\n`,
    "QUJD",
  ],
  [
    "quoted-printable soft breaks",
    "From: <>\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    "=3D=\r\n",
  ],
  [
    "a returned message",
    `${REPORT + STATUS + BLOCK}--b\r\nContent-Type: message/rfc822\r\n\r\nSubject: x\r\n\r\n`,
    "Hello\r\n",
  ],
  ["a returned header", `${REPORT + STATUS + BLOCK}--b\r\nContent-Type: message/rfc822\r\n\r\n`, "X: y\r\n"],
  ["boundaries", REPORT, "--b\r\n"],
  ["boundaries of parts with headers", REPORT, "--b\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"],
  ["lines like boundaries", `${REPORT}--b\r\n\r\n`, "--ba\r\n"],
  ["bare CR", "From: <>\r\n\r\n", "\r"],
];
for (const [what, head, unit] of endless) {
  test(`16 MiB of ${what} are read in constant memory`, () => {
    const reader = createBounceReader();
    const piece = Buffer.from(unit.repeat(Math.ceil((256 * 1024) / unit.length)));
    reader.take(Buffer.from(head));
    for (let octets = 0; octets < 2 * MIB; octets += piece.length) reader.take(piece);
    const before = heldOctets();
    for (let octets = 0; octets < 14 * MIB; octets += piece.length) reader.take(piece);
    const grown = heldOctets() - before;
    assert.ok(grown < MIB, `${grown} octets more are held`);
    const report = reader.end();
    assert.ok(report.recipients.length <= READER_LIMITS.recipients);
    if (what === "a returned message") assert.deepEqual(report.returned, [{ name: "Subject", value: "x" }]);
    assert.equal(report.truncated, what !== "a returned message");
  });
}

function heldOctets(): number {
  collectGarbage();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

test("10,000 multiparts in one another are read to the limit, and nothing below it", () => {
  const open = Array.from(
    { length: 10_000 },
    (_, at) => `Content-Type: multipart/mixed; boundary=n${at}\r\n\r\n--n${at}\r\n`,
  );
  const report = readBounce(Buffer.from(`From: <>\r\n${open.join("")}${STATUS.slice(5)}${BLOCK}`));
  assert.equal(report.truncated, true);
  assert.deepEqual(report.recipients, []);
});

test("multiparts within the limit of depth are read", () => {
  for (const [depth, found] of [
    [20, 1],
    [21, 0],
  ] as const) {
    const open = Array.from(
      { length: depth },
      (_, at) => `Content-Type: multipart/mixed; boundary=n${at}\r\n\r\n--n${at}\r\n`,
    );
    const report = readBounce(Buffer.from(`From: <>\r\n${open.join("")}${STATUS.slice(5)}${BLOCK}`));
    assert.equal(report.recipients.length, found);
    assert.equal(report.truncated, found === 0);
  }
});

test("a report behind 1,000 parts is not found, and one before is", () => {
  const many = "--b\r\n\r\nx\r\n".repeat(1000);
  assert.equal(readBounce(Buffer.from(`${REPORT}${many}${STATUS}${BLOCK}--b--\r\n`)).kind, "not-a-bounce");
  const before = readBounce(Buffer.from(`${REPORT}${STATUS}${BLOCK}${many}--b--\r\n`));
  assert.equal(before.recipients.length, 1);
  assert.equal(before.truncated, true);
});

test("recipients, text, status and returned header beyond their limits are left out, and that is said", () => {
  const recipients = readBounce(Buffer.from(REPORT + STATUS + BLOCK.repeat(501)));
  assert.deepEqual([recipients.recipients.length, recipients.truncated], [500, true]);
  const all = readBounce(Buffer.from(REPORT + STATUS + BLOCK.repeat(500)));
  assert.deepEqual([all.recipients.length, all.truncated], [500, false]);
  const status = readBounce(
    Buffer.from(`${REPORT}${STATUS}${BLOCK}X-Pad: ${"x".repeat(70_000)}\r\n${BLOCK}`),
  );
  assert.deepEqual([status.recipients.length, status.truncated], [1, true]);
  const text = readBounce(
    Buffer.from(`From: <>\r\n\r\n${"Hello\r\n".repeat(50_000)}550 5.1.1 <bob@example.org>\r\n`),
  );
  assert.deepEqual([text.kind, text.truncated], ["not-a-bounce", true]);
  const returned = readBounce(
    Buffer.from(
      `${REPORT}${STATUS}${BLOCK}--b\r\nContent-Type: message/rfc822\r\n\r\n${"X: y\r\n".repeat(20_000)}\r\n`,
    ),
  );
  assert.equal(returned.truncated, true);
  assert.ok((returned.returned?.length ?? 0) <= (64 * 1024) / 5);
});

// Wherever the pieces end, the report is the same.

const messages: readonly Buffer[] = [
  ...[
    "postfix-mixed.eml",
    "postfix-smtputf8.eml",
    "exim-multiline.eml",
    "opensmtpd-mixed.eml",
    "sendmail-success-relayed.eml",
  ].map(sample),
  ...TEXT_RULES.map(({ example }) => Buffer.from([...example.header, "", ...example.text].join("\r\n"))),
  Buffer.from(
    `${REPORT}${STATUS.trimEnd()}\r\nContent-Transfer-Encoding: base64\r\n\r\n${Buffer.from(BLOCK).toString("base64")}\r\n--b--`,
  ),
  Buffer.from(
    `${REPORT}${STATUS.trimEnd()}\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n${BLOCK.replaceAll("e", "=65").replaceAll("i", "=\r\ni")}\r\n--b--`,
  ),
  Buffer.from(`From: <>\r\n\r\n${"x".repeat(20_000)} 550 5.1.1\r\n<bob@example.org> 550 5.1.1 y\r\n`),
];

function readInPieces(message: Buffer, cuts: readonly number[]) {
  const reader = createBounceReader();
  let from = 0;
  for (const cut of [...cuts].sort((one, other) => one - other)) {
    reader.take(message.subarray(from, cut));
    from = Math.max(from, cut);
  }
  reader.take(message.subarray(from));
  return reader.end();
}

test("a message cut anywhere gives the same report", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...messages),
      fc.constantFrom("\r\n", "\n", "\r"),
      fc.array(fc.nat({ max: 25_000 }), { maxLength: 30 }),
      (whole, end, cuts) => {
        const message = Buffer.from(whole.toString("latin1").replaceAll("\r\n", end), "latin1");
        assert.deepEqual(
          readInPieces(
            message,
            cuts.map((cut) => cut % (message.length + 1)),
          ),
          readBounce(message),
        );
      },
    ),
  );
});

test("a message octet by octet gives the same report", () => {
  for (const message of messages) {
    assert.deepEqual(readInPieces(message, Array.from(message.keys())), readBounce(message));
  }
});

test("no mixture of what bounces are made of throws, and all of it is bounded", () => {
  const words = fc.constantFrom(
    ...[
      "--b",
      "--b--",
      "--",
      "\r\n",
      "\n",
      "\r",
      " ",
      "=",
      "=3",
      "(",
      ")",
      '"',
      "\\",
      "<",
      ">",
      "@",
      "&lt;",
      ";",
      ":",
      "\x1b$",
    ],
    ...[
      "Content-Type: ",
      "multipart/mixed; boundary=b",
      "message/rfc822",
      "message/delivery-status",
      "text/html",
      "base64",
    ],
    ...[
      "Content-Transfer-Encoding: ",
      "From: <>",
      "Final-Recipient: utf-8;",
      "\\x{",
      "bob@example.org",
      "Status: ",
      "5.0.0",
    ],
    ...[
      "Action: failed",
      "550 ",
      "Diagnostic-Code: ",
      "your message to ",
      "this is the qmail-send program",
      "\u00e9",
      "\0",
    ],
  );
  fc.assert(
    fc.property(fc.array(words, { maxLength: 200 }), (pieces) => {
      const message = Buffer.from(`From: <>\r\n${pieces.join("")}`, "latin1");
      const report = readBounce(message);
      for (const one of report.recipients) {
        assert.ok((one.finalRecipient ?? "").length <= 512);
        assert.ok((one.diagnostic ?? "").length <= 2048);
      }
      assert.deepEqual(readInPieces(message, [message.length >> 1, message.length >> 2]), report);
    }),
    { numRuns: 500 },
  );
});
