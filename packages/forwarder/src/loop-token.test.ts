import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { readTrace } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import { createLoopTokens } from "./loop-token.ts";

const ALICE: Mailbox = { localPart: "alice", domain: "forwarder.example" };
const ID = "<1@source.example>";
const site = createLoopTokens(["a secret of this test"]);
const TOKEN = site.mint(ALICE, ID);

test("a token is the beginning of an HMAC over label, folded recipient and Message-ID, each behind its length", () => {
  const fields = ["homing-loop-v1", "alice@forwarder.example", `<${"ö".repeat(2000)}>`].map((field) => {
    const octets = Buffer.from(field);
    return Buffer.concat([Buffer.from([octets.length >> 8, octets.length & 0xff]), octets]);
  });
  const mac = createHmac("sha256", "a secret of this test").update(Buffer.concat(fields)).digest("hex");
  assert.equal(site.mint({ ...ALICE, localPart: "Alice" }, `<${"ö".repeat(2000)}>`), mac.slice(0, 20));
});

function traceWith(...tokens: string[]): Parameters<typeof site.seen>[1] {
  return { hops: tokens.length, tokens, messageId: ID, identity: [ID, "", "", "", ""] };
}

test("a token is known at the same recipient, in any case, among tokens of others", () => {
  assert.match(TOKEN, /^[0-9a-f]{20}$/);
  assert.ok(site.seen(ALICE, traceWith(TOKEN)));
  assert.ok(site.seen({ localPart: "ALICE", domain: "Forwarder.Example" }, traceWith(TOKEN)));
  assert.ok(site.seen(ALICE, traceWith("", "no token", "ab".repeat(10), TOKEN)));
});

const others: [what: string, recipient: Mailbox, trace: Parameters<typeof site.seen>[1]][] = [
  ["no token at all", ALICE, traceWith()],
  ["the token of another recipient", { ...ALICE, localPart: "carol" }, traceWith(TOKEN)],
  ["the token of another domain", { ...ALICE, domain: "other.example" }, traceWith(TOKEN)],
  ["the token of another message", ALICE, { ...traceWith(TOKEN), messageId: "<2@source.example>" }],
  ["the token of a message without Message-ID", ALICE, traceWith(site.mint(ALICE, ""))],
  ["a token by another site", ALICE, traceWith(createLoopTokens(["another secret"]).mint(ALICE, ID))],
  ["the beginning of a token", ALICE, traceWith(TOKEN.slice(0, -2))],
  ["a token and more", ALICE, traceWith(`${TOKEN}00`)],
  ["no hexadecimal digits", ALICE, traceWith("zz".repeat(10))],
  // Without lengths both would be one text.
  [
    "a border moved",
    { ...ALICE, domain: "forwarder.example<" },
    { ...traceWith(TOKEN), messageId: ID.slice(1) },
  ],
];
for (const [what, recipient, trace] of others) {
  test(`${what} is no loop`, () => {
    assert.equal(site.seen(recipient, trace), false);
  });
}

test("after a rotation new tokens come from the new secret, and those of the old one are still known", () => {
  const after = createLoopTokens(["a newer secret", "a secret of this test"]);
  assert.notEqual(after.mint(ALICE, ID), TOKEN);
  assert.ok(after.seen(ALICE, traceWith(TOKEN)));
  assert.ok(after.seen(ALICE, traceWith(after.mint(ALICE, ID))));
  assert.equal(site.seen(ALICE, traceWith(after.mint(ALICE, ID))), false);
});

test("no secret and an empty one are bugs", () => {
  for (const secrets of [[], [""], ["one", ""]]) assert.throws(() => createLoopTokens(secrets), RangeError);
});

test("a header block of tokens costs no more than the hops that are looked at", () => {
  const field = `Received: by x (loop ${"ab".repeat(10)})\r\n`;
  const trace = readTrace(Buffer.from(field.repeat(100_000)), 50);
  assert.equal(trace.tokens.length, 50);
  assert.equal(site.seen(ALICE, trace), false);
});
