import assert from "node:assert/strict";
import { test } from "node:test";
import type { HeaderField } from "@homing/bounce-handler";
import { readTrace, receivedField } from "@homing/mail";
import type { Mailbox } from "@homing/srs-core";
import { createHeaderMarks } from "./header-mark.ts";

const BOB: Mailbox = { localPart: "bob", domain: "source.example" };
const ALICE: Mailbox = { localPart: "Alice+x", domain: "forwarder.example" };
const marks = createHeaderMarks(["a secret of this test"]);
const HEADER = [
  "Message-ID: <1@source.example>",
  "Date: Fri, 20 Nov 2026 20:31:40 +0000",
  "Subject: Caf\u00e9 and a subject\r\n that is folded",
  "From: Bob <bob@source.example>",
  "To: alice+x@forwarder.example",
];

function received(header: readonly string[], by = marks): string {
  const { identity } = readTrace(Buffer.from(`${header.join("\r\n")}\r\n\r\n`, "utf8"), 50);
  return receivedField({
    from: { helo: "source.example", address: "192.0.2.1" },
    by: "mx.forwarder.example",
    protocol: "ESMTP",
    id: "k3j2",
    loopToken: "0123456789abcdef0123",
    headerMark: by.mint(BOB, ALICE, identity),
    recipient: ALICE,
    now: 1_800_000_000,
  });
}

/** As the reader of a bounce gives it: unfolded. */
function returned(...header: readonly string[]): readonly HeaderField[] {
  return header.map((field) => {
    const at = field.indexOf(":");
    return {
      name: field.slice(0, at),
      value: field
        .slice(at + 1)
        .replaceAll(/\r\n[ \t]+/g, " ")
        .trim(),
    };
  });
}

const NAMES = ["Message-ID", "Date", "Subject", "From", "To"];

test("a header that comes back with our field is the sender's, and tells the alias as he wrote it", () => {
  const ours = received(HEADER);
  const cases = [
    returned(ours, ...HEADER),
    returned("Received: by home.example (header 0123456789abcdef0123) for <x@y.example>", ours, ...HEADER),
    returned(
      ours
        .toUpperCase()
        .replace("RECEIVED", "Received")
        .replace("(HEADER", "(header")
        .replace("FOR <", "for <"),
      ...HEADER,
    ),
    returned(...HEADER.toReversed(), ours, "X-Other: field"),
    returned(ours, ...HEADER.map((field) => field.replace("folded", "fo\r\n\tlded"))),
  ];
  for (const [at, fields] of cases.entries()) {
    const proven = marks.proven(BOB, fields);
    assert.equal(proven?.alias.localPart.toLowerCase(), "alice+x", `case ${at}`);
    assert.deepEqual(
      proven.header.map(({ name }) => name),
      NAMES,
    );
  }
});

test("octets that are no UTF-8 are the same octets when they come back", () => {
  const subject = Buffer.from("Subject: caf\xe9", "latin1");
  const { identity } = readTrace(Buffer.concat([subject, Buffer.from("\r\n\r\n")]), 50);
  const mark = marks.mint(BOB, ALICE, identity);
  const fields = returned(
    `Received: by x (header ${mark}) for <alice+x@forwarder.example>; date`,
    "Subject: caf\u00e9",
  );
  assert.ok(marks.proven(BOB, fields));
});

test("whatever is changed in it, added above it or left out, it proves nothing", () => {
  const ours = received(HEADER);
  for (const [at, field] of HEADER.entries()) {
    const others = HEADER.filter((_, other) => other !== at);
    assert.equal(marks.proven(BOB, returned(ours, ...others)), undefined, `without ${field}`);
    assert.equal(marks.proven(BOB, returned(ours, `${field}x`, ...others)), undefined, `another ${field}`);
    const name = field.slice(0, field.indexOf(":"));
    assert.equal(
      marks.proven(BOB, returned(ours, `${name}: forged`, ...HEADER)),
      undefined,
      `above ${field}`,
    );
  }
});

test("it is of one sender, of one recipient and of one secret", () => {
  const ours = received(HEADER);
  const fields = returned(ours, ...HEADER);
  assert.ok(marks.proven({ localPart: "BOB", domain: "Source.Example" }, fields));
  assert.equal(marks.proven({ ...BOB, localPart: "carol" }, fields), undefined);
  assert.equal(marks.proven(BOB, returned(ours.replace("for <Alice+x", "for <carol"), ...HEADER)), undefined);
  assert.equal(createHeaderMarks(["another secret"]).proven(BOB, fields), undefined);
  const rotated = createHeaderMarks(["a new secret", "a secret of this test"]);
  assert.ok(rotated.proven(BOB, fields));
  assert.ok(rotated.proven(BOB, returned(received(HEADER, rotated), ...HEADER)));
});

test("a header without a mark, or with something like one, proves nothing", () => {
  for (const field of [
    "Received: by x for <alice+x@forwarder.example>; date",
    "Received: by x (header ) for <alice+x@forwarder.example>; date",
    "Received: by x (header 0123) for <alice+x@forwarder.example>; date",
    "Received: by x (header 0123456789abcdef0123",
    "Received: by x (header 0123456789abcdef0123) for <alice",
    "Received: by x (header zzzzzzzzzzzzzzzzzzzz) for <no address>",
  ])
    assert.equal(marks.proven(BOB, returned(field, ...HEADER)), undefined);
  assert.equal(marks.proven(BOB, []), undefined);
});
