import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Hop, receivedField } from "./trace.ts";
import { bareField, readTrace } from "./trace-reading.ts";

const TOKEN = "0123456789abcdef0123";
const OURS: Hop = {
  from: { helo: "client.example", address: "192.0.2.1" },
  by: "mx.forwarder.example",
  protocol: "ESMTP",
  id: "k3j2",
  loopToken: TOKEN,
  headerMark: "fedcba98765432100123",
  recipient: { localPart: "alice", domain: "forwarder.example" },
  now: 1_700_000_000,
};
const FIELD = receivedField(OURS);
const read = (text: string, maxHops = 50) => readTrace(Buffer.from(text, "latin1"), maxHops);

const survived: [what: string, field: string][] = [
  ["as it was written", FIELD],
  ["on one line", FIELD.replaceAll("\r\n\t", " ")],
  ["folded at every blank", FIELD.replaceAll(/\r\n\t| /g, "\r\n        ")],
  ["folded inside the token", FIELD.replace("89abcd", "89\r\n\tabcd")],
  ["in upper case", FIELD.toUpperCase()],
  ["in lower case", FIELD.toLowerCase()],
  ["without a client", receivedField({ ...OURS, from: undefined })],
  [
    "with a hostile HELO name",
    receivedField({ ...OURS, from: { helo: "x (loop 9999)", address: "192.0.2.1" } }),
  ],
  [
    "with a hostile recipient",
    receivedField({ ...OURS, recipient: { localPart: "(loop 9999)", domain: "x.example" } }),
  ],
  ["behind those of other servers", `Received: from a by b; date\r\n${FIELD}Received: from c by d; date\r\n`],
];
for (const [what, fields] of survived) {
  test(`a loop token is read from our field ${what}`, () => {
    assert.deepEqual(read(`${fields}\r\nHello!\r\n`).tokens, [TOKEN]);
  });
}

const none: [what: string, message: string][] = [
  ["in the body", `Subject: x\r\n\r\n${FIELD}`],
  ["in a message without a header block", `\r\n${FIELD}`],
  ["in another field", FIELD.replace("Received", "X-Received")],
  ["in a comment that is not closed", "Received: by x (loop 0123456789abcdef0123"],
  ["in a field without a name", ` ${FIELD}`],
  ["behind the part of a field that is read", FIELD.replace("(loop", `${"\r\n ".repeat(2000)}(loop`)],
];
for (const [what, message] of none) {
  test(`no loop token is read ${what}`, () => {
    assert.deepEqual(read(message).tokens, []);
  });
}

test("Received fields are counted in the header block alone, in any case, folded ones once", () => {
  const fields = "Received: a\r\nRECEIVED: b\r\n\tReceived: folded\r\nX-Received: c\r\nno field\r\n";
  assert.equal(read(`${fields}\r\nReceived: body\r\n`).hops, 2);
  assert.equal(read("Received: no end").hops, 1);
  assert.equal(read("").hops, 0);
});

test("no more fields are looked at than asked for", () => {
  const trace = read(`${FIELD.repeat(1000)}Message-ID: <below@x>\r\n\r\n`, 7);
  assert.deepEqual([trace.hops, trace.tokens.length, trace.messageId], [7, 7, ""]);
});

test("a Message-ID is the same after folding and a change of case; of two, the upper counts", () => {
  const one = read("Message-ID: <Ab.1@X.example>\r\n\r\n").messageId;
  assert.equal(one, "<ab.1@x.example>");
  assert.equal(read("MESSAGE-ID:\r\n <AB.1@x.example> \r\nMessage-ID: <2@x>\r\n\r\n").messageId, one);
  assert.equal(read("Subject: x\r\n\r\nMessage-ID: <body@x>\r\n").messageId, "");
});

test("what tells a message apart is the first of five fields each, whoever folds them or changes their case", () => {
  const { identity } = read(
    "Subject: Caf\xc3\xa9 \r\n  Royal\r\nTo: a@x\r\nSUBJECT: no\r\nmessage-id: <1@x>\r\n\r\nFrom: b@x\r\n",
  );
  assert.deepEqual(identity, ["<1@x>", "", "caf\xc3\xa9royal", "", "a@x"]);
  assert.equal(bareField("Caf\xc3\xa9  ROYAL"), identity[2]);
  const long = "x, ".repeat(3000);
  assert.equal(read(`To: ${long}\r\n\r\n`).identity[4].length, 2000);
  assert.equal(bareField(long), read(`To: ${long}\r\n\r\n`).identity[4]);
});

test("no octets make the reader throw, and what it gives is bounded", () => {
  const piece = fc.constantFrom(
    "Received:",
    "(loop",
    ")",
    "Message-ID:",
    "\r\n",
    "\r",
    "\n",
    " ",
    "\0",
    "\xff",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const trace = read(pieces.join(""), 5);
      assert.ok(trace.hops <= 5 && trace.tokens.length <= trace.hops);
    }),
  );
});
