import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { readConfigSource } from "./config-source.ts";
import { problemsOfIssues } from "./issue-problems.ts";
import { settingTree } from "./setting-tree.ts";

const point = z.strictObject({ x: z.int("is no whole number"), y: z.int().optional() });
const short = z.string().max(3, "is too long");

/** Shapes that the configuration may come to have; those that it has are in load-config.test.ts. */
const shapes: [what: string, setting: z.ZodType, text: string, told: string[]][] = [
  [
    "an item that lacks a setting is told where it begins",
    z.array(point),
    "s:\n  - x: 1\n  - y: 2",
    ["3:5 s.1.x: is missing: add it"],
  ],
  [
    "an entry that lacks a setting is told at its name",
    z.record(z.string(), point),
    "s:\n  a: { y: 2 }",
    ["2:3 s.a.x: is missing: add it"],
  ],
  [
    "what lacks its parent, too, is told at the nearest name that there is",
    z.strictObject({ p: point.prefault({} as never) }),
    "s: {}",
    ["1:1 s.p.x: is missing: add it"],
  ],
  [
    "a name that is wrong is told at the name",
    z.record(short, z.int()),
    "s:\n  a: 1\n  long: 2",
    ["3:3 s.long: is too long"],
  ],
  [
    "of several forms the one that was meant is told: a map",
    z.union([z.string(), point]),
    "s: { x: 1.5 }",
    ["1:9 s.x: is no whole number"],
  ],
  [
    "of several forms the first is told where none was meant",
    z.union([z.string(), point]),
    "s: 5",
    ["1:4 s: expected string, received number"],
  ],
  [
    "a slip in one of several forms has its suggestion",
    z.union([z.string(), z.strictObject({ target: z.string(), keep: z.boolean().optional() })]),
    "s: { target: a, kepe: true }",
    ["1:17 s.kepe: there is no such setting: did you mean s.keep?"],
  ],
  ["brackets for a number are no hint of quotes", z.int("is no number"), "s: [1]", ["1:4 s: is no number"]],
];
for (const [what, setting, text, expected] of shapes) {
  test(what, () => {
    const read = readConfigSource(text);
    assert.ok(read.ok);
    const schema = z.strictObject({ s: setting });
    const issues = schema.safeParse(read.source.value).error?.issues ?? [];
    const problems = problemsOfIssues(issues, read.source, settingTree(schema));
    assert.deepEqual(
      problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
      expected,
    );
  });
}
