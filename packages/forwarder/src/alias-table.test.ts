import assert from "node:assert/strict";
import { test } from "node:test";
import { renderMailbox } from "@homing/srs-core";
import { buildAliasTable } from "./alias-table.ts";

const LOCAL = ["ours.test", "Second.Test"];

function targets(text: string, name: string): string[] | undefined {
  const built = buildAliasTable(text, LOCAL);
  assert.ok(built.ok, built.ok ? "" : JSON.stringify(built.problems));
  return built.table.targets(name)?.map(renderMailbox);
}

function problems(text: string): string[] {
  const built = buildAliasTable(text, LOCAL);
  assert.ok(!built.ok, "there is nothing wrong");
  return built.problems.map(({ line, column, message }) => `${line}:${column} ${message}`);
}

const followed: [what: string, text: string, name: string, found: string[] | undefined][] = [
  ["a name leads to its address", "a: b@x.test", "a", ["b@x.test"]],
  ["names are found in any case", "Alice: b@x.test", "aLICE", ["b@x.test"]],
  ["a name that is not there leads nowhere", "a: b@x.test", "b", undefined],
  ["a name leads through names", "a: b\nb: c\nc: d@x.test", "a", ["d@x.test"]],
  ["names are followed in any case", "a: B\nb: d@x.test", "a", ["d@x.test"]],
  ["a name may stand before what it leads to, or behind", "b: d@x.test\na: b", "a", ["d@x.test"]],
  ["an address of ours is a name again", "a: b@ours.test\nb: d@x.test", "a", ["d@x.test"]],
  ["… in any case", "a: B@SECOND.test\nb: d@x.test", "a", ["d@x.test"]],
  ["an address at a subdomain of ours is not", "a: b@sub.ours.test", "a", ["b@sub.ours.test"]],
  [
    "targets keep their order",
    "a: z@x.test, b, y@x.test\nb: m@x.test",
    "a",
    ["z@x.test", "m@x.test", "y@x.test"],
  ],
  [
    "an address that comes twice is one target",
    "a: b@x.test, c, d@x.test\nc: b@x.test",
    "a",
    ["b@x.test", "d@x.test"],
  ],
  ["local parts that differ in case are two", "a: B@x.test, b@x.test", "a", ["B@x.test", "b@x.test"]],
  ["a local part in needless quotes is the same", 'a: "b"@x.test, b@x.test', "a", ["b@x.test"]],
  ["a diamond is no loop", "a: b, c\nb: d\nc: d\nd: e@x.test", "a", ["e@x.test"]],
  ["what leads through a shared name has it too", "a: b, c\nb: d\nc: d\nd: e@x.test", "c", ["e@x.test"]],
];
for (const [what, text, name, found] of followed) {
  test(what, () => assert.deepEqual(targets(text, name), found));
}

test("domains that differ in case are one", () => {
  assert.equal(targets("a: b@x.test, b@X.TEST, c\nc: b@X.Test", "a")?.length, 1);
});

test("the table knows its size, and a name of Object.prototype is no alias", () => {
  const built = buildAliasTable("a: b@x.test\nc: d@x.test", LOCAL);
  assert.ok(built.ok);
  assert.equal(built.table.size, 2);
  assert.equal(built.table.targets("constructor"), undefined);
});

const wrong: [what: string, text: string, ...problems: string[]][] = [
  ["a name that leads to itself", "a: a", "1:1 alias loop: a → a: give one of them an address outside"],
  [
    "two names that lead to each other",
    "a: b\nb: a",
    "2:1 alias loop: a → b → a: give one of them an address outside",
  ],
  [
    "three names in a ring",
    "x: ok@x.test\na: b\nb: c\nc: a",
    "4:1 alias loop: a → b → c → a: give one of them an address outside",
  ],
  [
    "a ring through our own domain",
    "a: B@ours.test\nb: a",
    "2:1 alias loop: a → b → a: give one of them an address outside",
  ],
  [
    "a loop with an address outside beside it",
    "a: b, x@x.test\nb: a",
    "2:1 alias loop: a → b → a: give one of them an address outside",
  ],
  [
    "many ways into one loop tell it once",
    "x: y, a\ny: b\na: b\nb: a",
    "3:1 alias loop: b → a → b: give one of them an address outside",
  ],
  [
    "two loops",
    "a: a\nb: c\nc: b",
    "1:1 alias loop: a → a: give one of them an address outside",
    "3:1 alias loop: b → c → b: give one of them an address outside",
  ],
  ["an unknown name", "a: nobody", '1:1 "nobody" is neither an address nor a name in this file'],
  [
    "an unknown name at a domain of ours",
    "a: nobody@Ours.test",
    '1:1 "nobody@Ours.test" is at a domain of ours, and no name in this file: add it, or take it out here',
  ],
  [
    "an unknown name, told once, where it stands",
    "a: b\nc: b\nb: nobody",
    '3:1 "nobody" is neither an address nor a name in this file',
  ],
  [
    "mistakes of both kinds, in order of their lines",
    "a: nobody\nb\nc: c",
    '1:1 "nobody" is neither an address nor a name in this file',
    '2:1 no ":" after the name: write "name: address"',
    "3:1 alias loop: c → c: give one of them an address outside",
  ],
];
for (const [what, text, ...told] of wrong) {
  test(`told at start: ${what}`, () => assert.deepEqual(problems(text), told));
}

function chain(length: number): string {
  const names = Array.from({ length: length - 1 }, (_, at) => `n${at + 1}: n${at + 2}`);
  return [...names, `n${length}: end@x.test`].join("\n");
}

test("names may be nested 50 deep, and no deeper", () => {
  assert.deepEqual(targets(chain(50), "n1"), ["end@x.test"]);
  assert.deepEqual(problems(chain(51)), ["50:1 names are nested more than 50 deep: n1 → … → n51"]);
});

test("names that many share are walked once: 50 levels of two branches end at two addresses", () => {
  const level = (at: number) => (at === 50 ? "l@x.test, r@x.test" : `l${at + 1}, r${at + 1}`);
  const lines = Array.from(
    { length: 50 },
    (_, at) => `l${at + 1}: ${level(at + 1)}\nr${at + 1}: ${level(at + 1)}`,
  );
  assert.deepEqual(targets(lines.join("\n"), "l1"), ["l@x.test", "r@x.test"]);
});

test("a loop behind names that many share is told once", () => {
  const lines = Array.from(
    { length: 40 },
    (_, at) => `l${at}: l${at + 1}, r${at + 1}\nr${at}: l${at + 1}, r${at + 1}`,
  );
  assert.deepEqual(problems([...lines, "l40: l40", "r40: x@x.test"].join("\n")), [
    "81:1 alias loop: l40 → l40: give one of them an address outside",
  ]);
});
