import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type AuthStep, beginAuth, isAuthCommand } from "./auth-exchange.ts";

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** What the server answers to these lines of a client, in the end. */
function exchange(...lines: readonly string[]): string {
  const [first = "", ...others] = lines;
  let step: AuthStep = beginAuth(Buffer.from(first, "latin1"));
  for (const line of others) {
    if (step.kind !== "ask") return `${said(step)}, too early`;
    step = step.next(Buffer.from(line, "latin1"));
  }
  return said(step);
}

function said(step: AuthStep): string {
  switch (step.kind) {
    case "ask":
      return `334 ${Buffer.from(step.challenge, "base64")}`;
    case "log-in":
      return `${step.name}/${step.password}`;
    case "refuse":
      return `${step.reply.code} ${step.reply.enhanced}`;
  }
}

const cases: [lines: readonly string[], outcome: string][] = [
  [[`AUTH PLAIN ${base64("\0alice\0secret")}`], "alice/secret"],
  [[`auth plain ${base64("\0alice\0secret")}`], "alice/secret"],
  [["AUTH PLAIN"], "334 "],
  [["AUTH PLAIN", base64("\0alice\0secret")], "alice/secret"],
  [[`AUTH PLAIN ${base64("alice\0alice\0secret")}`], "alice/secret"],
  [[`AUTH PLAIN ${base64("\0jörg@b.example\0Äpfel: süß")}`], "jörg@b.example/Äpfel: süß"],
  [["AUTH LOGIN"], "334 Username:"],
  [["AUTH LOGIN", base64("alice")], "334 Password:"],
  [["AUTH LOGIN", base64("alice"), base64("secret")], "alice/secret"],
  [[`AUTH LOGIN ${base64("alice")}`, base64("secret")], "alice/secret"],
  // Cancelled (RFC 4954 §4).
  [["AUTH PLAIN", "*"], "501 5.7.0"],
  [["AUTH LOGIN", "*"], "501 5.7.0"],
  [["AUTH LOGIN", base64("alice"), "*"], "501 5.7.0"],
  // Somebody else's identity.
  [[`AUTH PLAIN ${base64("bob\0alice\0secret")}`], "535 5.7.8"],
  [[`AUTH PLAIN ${base64("ALICE\0alice\0secret")}`], "535 5.7.8"],
  // No name and password.
  [["AUTH PLAIN ="], "501 5.5.2"],
  [["AUTH PLAIN", ""], "501 5.5.2"],
  [["AUTH LOGIN", ""], "501 5.5.2"],
  [["AUTH LOGIN ="], "501 5.5.2"],
  [["AUTH LOGIN", base64("alice"), ""], "501 5.5.2"],
  ...["", "alice", "\0alice", "alice\0secret", "\0alice\0secret\0", "\0\0secret", "\0alice\0", "\0\0"].map(
    (text): [string[], string] => [["AUTH PLAIN", base64(text)], "501 5.5.2"],
  ),
  // Control characters, NUL among them.
  ...["\r\n", "\n", "\t", "\x7f", "\u0085", "\x01"].flatMap((control): [string[], string][] => [
    [["AUTH PLAIN", base64(`\0ali${control}ce\0secret`)], "501 5.5.2"],
    [["AUTH PLAIN", base64(`\0alice\0sec${control}ret`)], "501 5.5.2"],
    [["AUTH LOGIN", base64(`ali${control}ce`)], "501 5.5.2"],
    [["AUTH LOGIN", base64("alice"), base64(`secret${control}`)], "501 5.5.2"],
  ]),
  [["AUTH LOGIN", base64("alice\0bob")], "501 5.5.2"],
  [["AUTH LOGIN", base64("alice"), base64("\0secret")], "501 5.5.2"],
  // No UTF-8.
  [["AUTH LOGIN", Buffer.from("\xff\xfe", "latin1").toString("base64")], "501 5.5.2"],
  // Base64 that others would take.
  ...[
    "AGFsaWNlAHNlY3JldA",
    "AGFsaWNlAHNlY3JldB==",
    "AGFs aWNl",
    "AGFsaWNlAHNlY3JldA==x",
    "AGFsaWNl=",
    "====",
    "%",
    "-_-_",
  ].map((text): [string[], string] => [["AUTH PLAIN", text], "501 5.5.2"]),
  [["AUTH"], "501 5.5.4"],
  [["AUTH "], "501 5.5.4"],
  // White space at the end is nothing.
  [["AUTH PLAIN  "], "334 "],
  [["AUTH LOGIN \t"], exchange("AUTH LOGIN")],
  [["AUTH PLAIN  eA=="], "501 5.5.4"],
  [["AUTH PLAIN a b"], "501 5.5.4"],
  [["AUTH CRAM-MD5"], "504 5.5.4"],
  [["AUTH XOAUTH2 eA=="], "504 5.5.4"],
  [["AUTH constructor"], "504 5.5.4"],
];
for (const [lines, outcome] of cases) {
  test(`${JSON.stringify(lines).slice(0, 90)} is ${outcome}`, () =>
    assert.equal(exchange(...lines), outcome));
}

test("whatever has a name and a password without control characters comes out as it went in", () => {
  const text = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 40 })
    .filter((one) => !/\p{Cc}/u.test(one));
  fc.assert(
    fc.property(text, text, (name, password) => {
      assert.equal(exchange(`AUTH PLAIN ${base64(`\0${name}\0${password}`)}`), `${name}/${password}`);
      assert.equal(exchange("AUTH LOGIN", base64(name), base64(password)), `${name}/${password}`);
    }),
  );
});

test("no octets make it throw", () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: "binary", maxLength: 60 }), { maxLength: 3 }), (lines) => {
      for (const begin of ["AUTH PLAIN", "AUTH LOGIN"]) exchange(begin, ...lines);
      exchange(`AUTH ${lines.join(" ")}`);
    }),
  );
});

test("AUTH is told apart in any case, and from whatever begins like it", () => {
  for (const line of ["AUTH PLAIN", "auth x", "aUtH "]) assert.ok(isAuthCommand(Buffer.from(line)), line);
  for (const line of ["AUTHOR x", "AUTH", " AUTH x", "MAIL AUTH "])
    assert.ok(!isAuthCommand(Buffer.from(line)), line);
});
