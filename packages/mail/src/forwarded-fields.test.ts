import assert from "node:assert/strict";
import { test } from "node:test";
import { type Mailbox, parseMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { forwardedFields } from "./forwarded-fields.ts";

const ALIAS: Mailbox = { localPart: "alice", domain: "forwarder.example" };
const TARGET: Mailbox = { localPart: "alice.cooper", domain: "home.example" };

test("the destination stands alone, and behind the alias", () => {
  assert.equal(
    forwardedFields({ alias: ALIAS, destination: TARGET }),
    "X-Forwarded-To: alice.cooper@home.example\r\n" +
      "X-Forwarded-For: alice@forwarder.example alice.cooper@home.example\r\n",
  );
});

test("a destination that nobody is to learn is in no field", () => {
  assert.equal(
    forwardedFields({ alias: ALIAS, destination: undefined }),
    "X-Forwarded-For: alice@forwarder.example\r\n",
  );
});

test("two long addresses have a line each", () => {
  const long = { localPart: "a".repeat(64), domain: `${"b".repeat(63)}.${"c".repeat(63)}.example` };
  const fields = forwardedFields({ alias: ALIAS, destination: long });
  assert.match(fields, /^X-Forwarded-For: alice@forwarder\.example\r\n\ta+@b+\.c+\.example\r\n$/m);
});

test("a local part is quoted where it must be, and UTF-8 stays", () => {
  const alias = { localPart: 'a "b" c', domain: "forwarder.example" };
  assert.equal(
    forwardedFields({ alias, destination: { localPart: "jürgen", domain: "home.example" } }),
    "X-Forwarded-To: jürgen@home.example\r\n" +
      'X-Forwarded-For: "a \\"b\\" c"@forwarder.example jürgen@home.example\r\n',
  );
});

const hostile: [what: string, mailbox: Mailbox][] = [
  ["a line end in the local part", { localPart: "a\r\nBcc: x", domain: "x.example" }],
  ["a line end in the domain", { localPart: "a", domain: "x.example\r\nBcc: x" }],
  ["a NUL", { localPart: "a\0", domain: "x.example" }],
  ["half a surrogate pair", { localPart: "a\ud800", domain: "x.example" }],
  ["no local part", { localPart: "", domain: "x.example" }],
];
for (const [what, mailbox] of hostile) {
  test(`an address with ${what} is left out`, () => {
    assert.equal(
      forwardedFields({ alias: ALIAS, destination: mailbox }),
      "X-Forwarded-For: alice@forwarder.example\r\n",
    );
    assert.equal(forwardedFields({ alias: mailbox, destination: undefined }), "");
  });
}

test("whatever the addresses hold, there is no field of theirs", () => {
  const mailbox = fc.record({
    localPart: fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("a\r\nb: c", "\n", "\u2028", '"')),
    domain: fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("x.example", "x\r\n.example", "[192.0.2.1]"),
    ),
  });
  fc.assert(
    fc.property(mailbox, mailbox, (alias, destination) => {
      for (const line of forwardedFields({ alias, destination }).split("\r\n").slice(0, -1)) {
        assert.match(line, /^(?:X-Forwarded-(?:To|For): |\t)[^\p{Cc}]+$/u);
        assert.ok(Buffer.byteLength(line) < 998);
      }
    }),
  );
});

test("what is in the fields is read again as the same addresses", () => {
  const fields = forwardedFields({ alias: ALIAS, destination: TARGET });
  const [, last = ""] = fields.trimEnd().split("X-Forwarded-For: ");
  const read = last.split(" ").map((text) => parseMailbox(text));
  assert.deepEqual(read, [
    { ok: true, mailbox: ALIAS },
    { ok: true, mailbox: TARGET },
  ]);
});
