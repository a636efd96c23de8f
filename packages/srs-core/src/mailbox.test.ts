import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { localPartOctets, type Mailbox, parseMailbox, renderMailbox } from "./mailbox.ts";
import { NULL_PATH, parseReversePath, renderReversePath } from "./reverse-path.ts";

const accepted: [text: string, localPart: string, domain: string, rendered?: string][] = [
  ["bob@example.org", "bob", "example.org"],
  ["Bob@Example.ORG", "Bob", "Example.ORG"],
  ['"two words"@example.org', "two words", "example.org"],
  ['"a@b"@example.org', "a@b", "example.org"],
  ['"say \\"hi\\""@example.org', 'say "hi"', "example.org"],
  ['"needless"@example.org', "needless", "example.org", "needless@example.org"],
  ["foo..bar.@docomo.example", "foo..bar.", "docomo.example", '"foo..bar."@docomo.example'],
  ["jörg@example.org", "jörg", "example.org"],
  ["x@bücher.example", "x", "xn--bcher-kva.example", "x@xn--bcher-kva.example"],
  ["x@a_b.example", "x", "a_b.example"],
  ["x@[192.0.2.1]", "x", "[192.0.2.1]"],
  ["x@[IPv6:2001:db8::1]", "x", "[IPv6:2001:db8::1]"],
  ["prvs=1234abcdef=bob@example.org", "prvs=1234abcdef=bob", "example.org"],
];
for (const [text, localPart, domain, rendered = text] of accepted) {
  test(`address ${text} is read, and rendered as ${rendered}`, () => {
    const parsed = parseMailbox(text);
    assert.deepEqual(parsed, { ok: true, mailbox: { localPart, domain } });
    assert.equal(renderMailbox({ localPart, domain }), rendered);
  });
}

const refused = [
  "",
  "bob",
  "@example.org",
  "bob@",
  "a@b@example.org",
  "two words@example.org",
  "<bob@example.org>",
  "bob@exam ple.org",
  "bob@-example.org",
  "bob@example..org",
  "bob@example.org.",
  "bob@a=b.example",
  "bob@①",
  "bob@１２７.1",
  "bob@[192.0.2.999]",
  "bob@[]",
  '"open@example.org',
  '""@example.org',
  '"a"b@example.org',
  "bob\r\nRCPT TO:<x@y>@example.org",
  '"bob\u0000"@example.org',
  '"bob\u0085"@example.org',
  "b\ud800b@example.org",
  "\ufffd@example.org",
  `${"l".repeat(250)}@example.org`,
  `x@${"l".repeat(64)}.example`,
];
for (const text of refused) {
  test(`address ${JSON.stringify(text).slice(0, 50)} is refused with a message of one line`, () => {
    const parsed = parseMailbox(text);
    assert.equal(parsed.ok, false);
    assert.doesNotMatch(parsed.message, /[\r\n\0]/);
  });
}

const measured: [localPart: string, octets: number][] = [
  ["bob", 3],
  ["jörg", 5],
  ["\u07ff", 2],
  ["\u0800", 3],
  ["\ud7ff", 3],
  ["\ue000", 3],
  ["😀", 4],
  ["\u{10000}\u{10ffff}", 8],
  ["a😀.b", 7],
  ["a b", 5],
  ['"\\', 6],
  ["😀 😀", 11],
];
for (const [localPart, octets] of measured) {
  test(`the local part ${JSON.stringify(localPart)} has ${octets} octets on the wire`, () => {
    assert.equal(localPartOctets(localPart), octets);
    assert.equal(Buffer.byteLength(renderMailbox({ localPart, domain: "" })), octets + 1);
  });
}

test("parse undoes render for every local part that an address can have", () => {
  const localPart = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((text) => !/[\p{Cc}\ufffd]/u.test(text));
  fc.assert(
    fc.property(localPart, (localPart) => {
      const mailbox: Mailbox = { localPart, domain: "example.org" };
      const text = renderMailbox(mailbox);
      fc.pre(Buffer.byteLength(text) <= 254);
      assert.deepEqual(parseMailbox(text), { ok: true, mailbox });
    }),
  );
});

test("no text makes the parser throw", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      parseMailbox(text);
    }),
  );
});

test("the null reverse-path is a value of its own, and is rendered as nothing", () => {
  assert.deepEqual(parseReversePath(""), { ok: true, reversePath: NULL_PATH });
  assert.equal(renderReversePath(NULL_PATH), "");
  assert.equal(renderReversePath({ localPart: "bob", domain: "example.org" }), "bob@example.org");
});
