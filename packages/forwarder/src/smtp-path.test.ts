import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMailbox } from "@homing/srs-core";
import fc from "fast-check";
import { parsePathCommand } from "./smtp-path.ts";

const read: [command: string, path: string, parameters?: Record<string, string | true>][] = [
  ["MAIL FROM:<>", ""],
  ["MAIL FROM:<bob@x.test>", "bob@x.test"],
  ["mail from:<Bob@X.Test>", "Bob@X.Test"],
  ["MAIL FROM: <bob@x.test>", "bob@x.test"],
  ["MAIL FROM :<bob@x.test>", "bob@x.test"],
  ["MAIL FROM:<bob@x.test>   ", "bob@x.test"],
  ['MAIL FROM:<"a b"@x.test>', '"a b"@x.test'],
  ['MAIL FROM:<"a>b"@x.test>', '"a>b"@x.test'],
  ['MAIL FROM:<"a<b"@x.test> SIZE=1', '"a<b"@x.test', { SIZE: "1" }],
  ['MAIL FROM:<"a\\">b"@x.test>', '"a\\">b"@x.test'],
  ['MAIL FROM:<"a\\\\"@x.test>', '"a\\\\"@x.test'],
  ["MAIL FROM:<@relay.test:bob@x.test>", "bob@x.test"],
  ["MAIL FROM:<@relay.test,@two.test:bob@x.test>", "bob@x.test"],
  ['MAIL FROM:<@relay.test:"a:b"@x.test>', '"a:b"@x.test'],
  ["MAIL FROM:<bob@[IPv6:2001:db8::1]>", "bob@[IPv6:2001:db8::1]"],
  ["MAIL FROM:<@no.colon>", "@no.colon"],
  ["MAIL FROM:<bob@x.test> SIZE=1 BODY=8BITMIME", "bob@x.test", { SIZE: "1", BODY: "8BITMIME" }],
  ["MAIL FROM:<bob@x.test>  size=1   smtputf8 ", "bob@x.test", { SIZE: "1", SMTPUTF8: true }],
  ["MAIL FROM:<bob@x.test> ENVID=a=b", "bob@x.test", { ENVID: "a=b" }],
  ["MAIL FROM:<bob@x.test> ENVID=", "bob@x.test", { ENVID: "" }],
  ["MAIL FROM:<bob@x.test> AUTH=<>", "bob@x.test", { AUTH: "<>" }],
  ["MAIL FROM:<jörg@bücher.test>", "jörg@bücher.test"],
];
for (const [command, path, parameters = {}] of read) {
  test(`${command} holds the path ${path || "of nobody"}`, () => {
    const parsed = parsePathCommand("mail from", command);
    assert.ok(parsed.ok);
    assert.equal(parsed.path, path);
    assert.deepEqual(Object.fromEntries(parsed.parameters), parameters);
    assert.equal(parsed.duplicate, undefined);
  });
}

const refused = [
  "",
  "MAIL",
  "MAIL FROM",
  "MAIL FROM:",
  "MAIL FROM: ",
  "MAIL FROM <bob@x.test>",
  "MAIL FROM:\u00a0<bob@x.test>",
  "MAIL FROM:<bob@x.test>\u2003",
  "MAIL  FROM:<bob@x.test>",
  "RCPT TO:<bob@x.test>",
  "MAIL TO:<bob@x.test>",
  "MAIL FROM:bob@x.test",
  "MAIL FROM:Bob <bob@x.test>",
  "MAIL FROM:<bob@x.test",
  "MAIL FROM:bob@x.test>",
  "MAIL FROM:<<bob@x.test>>",
  "MAIL FROM:<bob@x.test>>",
  'MAIL FROM:<"bob@x.test>',
  'MAIL FROM:<"a\\"@x.test>',
  "MAIL FROM:<bob@x.test>SIZE=1",
  "MAIL FROM:<bob@x.test>\tSIZE=1",
  "MAIL FROM:<bob@x.test> =1",
  "MAIL FROM:<bob@x.test> -X=1",
  "MAIL FROM:<bob@x.test> A_B=1",
  "MAIL FROM:<bob@x.test> ÄB=1",
  "MAIL FROM:<bob@x.test> <eve@x.test>",
];
for (const command of refused) {
  test(`${JSON.stringify(command)} is no MAIL command`, () => {
    assert.deepEqual(parsePathCommand("mail from", command), { ok: false });
  });
}

test("a keyword that comes twice is named, in whatever case it came", () => {
  const parsed = parsePathCommand("rcpt to", "RCPT TO:<a@b.test> NOTIFY=NEVER notify=FAILURE");
  assert.ok(parsed.ok);
  assert.equal(parsed.duplicate, "NOTIFY");
});

test("the path between brackets is the path that was rendered, for every local part", () => {
  const local = fc.string({ unit: "grapheme", minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(local, fc.boolean(), (localPart, routed) => {
      const path = renderMailbox({ localPart, domain: "x.test" });
      const parsed = parsePathCommand("rcpt to", `RCPT TO:<${routed ? "@relay.test:" : ""}${path}> X=1`);
      assert.ok(parsed.ok);
      assert.equal(parsed.path, path);
      assert.deepEqual([...parsed.parameters], [["X", "1"]]);
    }),
  );
});

test("no text makes the parser throw", () => {
  const piece = fc.constantFrom("MAIL FROM:", "<", ">", '"', "\\", "@", ":", " ", "=", "x", "\0", "\ud800");
  fc.assert(
    fc.property(fc.array(piece), fc.string({ unit: "binary" }), (pieces, text) => {
      for (const command of [pieces.join(""), text, `MAIL FROM:${text}`, `MAIL FROM:<${text}`]) {
        parsePathCommand("mail from", command);
      }
    }),
  );
});
