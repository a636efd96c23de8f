// Lists of addresses as programs and people write them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseAddressList } from "./address-list.ts";

const lists: readonly [what: string, text: string, addresses: readonly string[]][] = [
  [
    "addresses with and without names",
    "Ann <ann@a.example>, bob@b.example",
    ["ann@a.example", "bob@b.example"],
  ],
  ["a comma in quotes", '"Doe, Jo" <jo@a.example>', ["jo@a.example"]],
  ["an escaped quote", '"a \\" , b" <jo@a.example>', ["jo@a.example"]],
  ["comments, one in the other", "ann@a.example (a (b) \\) c), root (x)", ["ann@a.example", "root"]],
  ["a comment alone", "(nobody)", []],
  [
    "a group",
    "us: ann@a.example, Bob <b@b.example>;, c@c.example",
    ["ann@a.example", "b@b.example", "c@c.example"],
  ],
  ["an empty group", "undisclosed-recipients:;", []],
  ["semicolons in the place of commas", "a@a.example; b@b.example", ["a@a.example", "b@b.example"]],
  ["folded lines", "Ann\r\n <ann@a.example>,\r\n\tbob@b.example\r\n", ["ann@a.example", "bob@b.example"]],
  ["spaces around dots", "ann . lee @ a . example", ["ann.lee@a.example"]],
  ["a quoted local part", '"two words"@a.example', ['"two words"@a.example']],
  ["an encoded word with a comma", "=?utf-8?Q?Doe,_Jo?= <jo@a.example>", ["jo@a.example"]],
  ["a name that looks like an address", "x@y.example <jo@a.example>", ["jo@a.example"]],
  ["a route of old", "<@relay.example,@b.example:jo@a.example>", ["jo@a.example"]],
  ["an address literal", "jo@[192.0.2.1]", ["jo@[192.0.2.1]"]],
  ["empty places", ",, a@a.example,,", ["a@a.example"]],
];

for (const [what, text, addresses] of lists) {
  test(`${what}`, () => {
    const list = parseAddressList(text);
    assert.ok(list.ok, list.ok ? "" : list.problem);
    assert.deepEqual(
      list.addresses.map((one) => one.text),
      addresses,
    );
  });
}

const malformed: readonly string[] = [
  "ann lee",
  "Ann ann@a.example",
  "<ann@a.example",
  "ann@a.example>",
  '"ann',
  "(ann",
  "ann)",
  "a@b@c.example",
  "<>",
  "@a.example",
  "ann@",
  "=?utf-8?Q?ann?=",
  "<a@a.example> <b@b.example>",
  "a: b: c@c.example;;",
  "ann@[192.0.2.1",
  "<a@a.example,b@b.example>",
];

for (const text of malformed) {
  test(`no address is guessed from ${text}`, () => {
    assert.equal(parseAddressList(text).ok, false);
  });
}

test("a bare name says where its domain belongs", () => {
  const text = "root (Cron Daemon), ann@a.example";
  const list = parseAddressList(text);
  assert.ok(list.ok);
  const [root, ann] = list.addresses;
  assert.deepEqual([root?.isBare, ann?.isBare], [true, false]);
  assert.equal(text.slice(0, root?.end), "root");
});

test("a megabyte of any special character is read in one pass, without a stack for each", () => {
  for (const piece of ["(", "<", '"', "=?", "[", ",", ":", ";", "a:", "\\", "(a)", "=?a?b?", "@", ". "]) {
    const text = piece.repeat(1_000_000 / piece.length);
    const begun = process.cpuUsage();
    parseAddressList(text);
    const { user } = process.cpuUsage(begun);
    // Each takes some 0.1 s; in quadratic time it would be hours.
    assert.ok(user < 10_000_000, `${piece}: ${user} µs`);
  }
});
