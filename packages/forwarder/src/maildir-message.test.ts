import assert from "node:assert/strict";
import { test } from "node:test";
import { type Content, type Envelope, memoryContent } from "@homing/mail";
import { NULL_PATH } from "@homing/srs-core";
import fc from "fast-check";
import { maildirMessage } from "./maildir-message.ts";

const envelope: Envelope = {
  reversePath: { localPart: "bob", domain: "source.example" },
  recipient: { localPart: "alice", domain: "home.example" },
  eightBit: false,
  smtpUtf8: false,
};
const FIELDS = "Return-Path: <bob@source.example>\nDelivered-To: alice@home.example\n";

/** As latin1: one character is one octet. @param cut where the message is cut into two pieces */
async function stored(message: string, cut = 0, to = envelope): Promise<string> {
  const octets = Buffer.from(message, "latin1");
  const content: Content = {
    ...memoryContent(octets),
    async *pieces() {
      yield octets.subarray(0, cut);
      yield octets.subarray(cut);
    },
  };
  const pieces: Buffer[] = [];
  for await (const piece of maildirMessage(to, content)) pieces.push(piece);
  return Buffer.concat(pieces).toString("latin1");
}

const messages: [what: string, message: string, lines: string][] = [
  ["a message", "Subject: x\r\n\r\ny\r\n", "Subject: x\n\ny\n"],
  ["nothing", "", ""],
  ["no line end", "Subject: x", "Subject: x"],
  ["empty lines", "\r\n\r\n\r\n", "\n\n\n"],
  ["8-bit octets and dots", ".\r\n\x80\xff\r\n..\r\n", ".\n\x80\xff\n..\n"],
  [
    "a Return-Path of an earlier delivery",
    "Return-Path: <eve@x.example>\r\n",
    "Return-Path: <eve@x.example>\n",
  ],
  ["a line that begins with From", "\r\nFrom me\r\n", "\nFrom me\n"],
];
for (const [what, message, lines] of messages) {
  test(`${what}: fields on top, LF for each CRLF, and nothing else`, async () => {
    assert.equal(await stored(message), FIELDS + lines);
  });
}

test("CRs put back before each LF give the message again, octet for octet, whatever pieces it comes in", async () => {
  const part = fc.constantFrom("\r\n", "x", ".", " ", "\xff", "\t");
  await fc.assert(
    fc.asyncProperty(fc.array(part), fc.nat(), async (parts, cut) => {
      const message = parts.join("");
      const lines = (await stored(message, cut % (message.length + 1))).slice(FIELDS.length);
      assert.equal(lines.replaceAll("\n", "\r\n"), message);
    }),
  );
});

const addresses: [what: string, changed: Partial<Envelope>, fields: string][] = [
  ["the null sender", { reversePath: NULL_PATH }, "Return-Path: <>\nDelivered-To: alice@home.example\n"],
  [
    "a sender in quotes",
    { reversePath: { localPart: "a b", domain: "c.example" } },
    'Return-Path: <"a b"@c.example>\nDelivered-To: alice@home.example\n',
  ],
  [
    "a recipient in UTF-8",
    { recipient: { localPart: "jörg", domain: "home.example" } },
    "Return-Path: <bob@source.example>\nDelivered-To: jörg@home.example\n",
  ],
];
for (const [what, changed, fields] of addresses) {
  test(`${what} stands in its field as SMTP writes it`, async () => {
    const octets = await stored("", 0, { ...envelope, ...changed });
    assert.equal(Buffer.from(octets, "latin1").toString("utf8"), fields);
  });
}
