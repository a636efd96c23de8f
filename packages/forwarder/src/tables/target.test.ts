import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTarget } from "./target.ts";

const COMMENT = "a comment stands on a line of its own: take it out here";
const ALONE = "write the address alone, without a name and angle brackets";
const DOMAIN =
  "a domain is no target: write a whole address, or map the domain with domainAliases in the configuration";

const PATTERN =
  "%1 and $1 stand for nothing here: to map a whole domain, use domainAliases in the configuration";

/** What files for other programs have, and what is told of it. */
const habits: [text: string, message: string][] = [
  ["/dev/null", "files are not written: write :blackhole: to throw the mail away"],
  ['"/dev/null"', "files are not written: write :blackhole: to throw the mail away"],
  ['"|/bin/vacation alice"', "programs are not run: hand the mail to one by LMTP instead"],
  ["Admin <a@x.test>", ALONE],
  ["<a@x.test>", ALONE],
  ['"Admin of all" <a@x.test>', ALONE],
  ["root  # the boss", COMMENT],
  ["a@x.test\t#the boss", COMMENT],
  ["# the boss", COMMENT],
  ["error:5.1.1 gone", '"error:" is a transport of Postfix: write ":fail: 5.1.1 gone"'],
  ["error: 550 5.1.1 gone", '"error:" is a transport of Postfix: write ":fail: 550 5.1.1 gone"'],
  ["error:4.2.1 later", '"error:" is a transport of Postfix: write ":defer: 4.2.1 later"'],
  ["error:450 later", '"error:" is a transport of Postfix: write ":defer: 450 later"'],
  ["error:4 of us left", '"error:" is a transport of Postfix: write ":fail: 4 of us left"'],
  ["error:", '"error:" is a transport of Postfix: write ":fail:"'],
  ["@a.test", DOMAIN],
  ["%1@a.test", PATTERN],
  ["%1%3@a.test", PATTERN],
  ["$1@a.test", PATTERN],
  [`\${1}@a.test`, PATTERN],
];
for (const [text, message] of habits) {
  test(`a target ${text} is told what to write instead`, () => {
    assert.deepEqual(parseTarget(text), { ok: false, message });
  });
}

for (const text of [
  "a%1@x.test",
  "%a@x.test",
  "a#b",
  "a#b@x.test",
  '"a #b"@x.test',
  '"<a>"@x.test',
  "errors",
  "error",
]) {
  test(`a target ${text} is none of these habits`, () => assert.ok(parseTarget(text).ok));
}

test("words that an operator may write behind :fail: are not taken for a comment", () => {
  const parsed = parseTarget(":fail: # 5 is gone");
  assert.ok(parsed.ok && parsed.target.kind === "refuse");
  assert.equal(parsed.target.reply.text, "# 5 is gone");
});

const quoted: [text: string, target: object][] = [
  ['"bob@x.test"', { kind: "mailbox", mailbox: { localPart: "bob", domain: "x.test" } }],
  ['"a b"@x.test', { kind: "mailbox", mailbox: { localPart: "a b", domain: "x.test" } }],
  ['"Bob Smith"', { kind: "name", name: "bob smith" }],
  ['"\\alice"', { kind: "local", user: "alice" }],
  ["\\Alice", { kind: "local", user: "alice" }],
  ['"\\"alice"', { kind: "name", name: '"alice' }],
  [":INCLUDE:/l", { kind: "include", path: "/l" }],
  ['":Include:/L"', { kind: "include", path: "/L" }],
  [":BlackHole:", { kind: "discard" }],
];
for (const [text, target] of quoted) {
  test(`a target ${text} is read as what was meant`, () => {
    assert.deepEqual(parseTarget(text), { ok: true, target });
  });
}

for (const text of ['"\\alice@x.test"', '"a b@x.test"', '"a@b@x.test"']) {
  test(`a target ${text} is none`, () => assert.equal(parseTarget(text).ok, false));
}
