// docs/configuration.md says what the schema says. `npm run docs:config` writes it anew.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import * as z from "zod";
import { pageParts, sample, withParts } from "./configuration-page.ts";
import { readConfig } from "./load-config.ts";
import { configSchema } from "./schema.ts";
import { everySetting, isOfOurs, settingTree } from "./setting-tree.ts";

const PAGE = join(import.meta.dirname, "../../../../docs/configuration.md");
const tree = settingTree(configSchema);

test("docs/configuration.md is what the schema says", async () => {
  const page = await readFile(PAGE, "utf8");
  const fresh = withParts(page, pageParts(tree));
  if (process.env.HOMING_UPDATE_DOCS === "1") await writeFile(PAGE, fresh);
  else assert.equal(page, fresh, "docs/configuration.md is stale: npm run docs:config");
});

test("every setting has a meaning: a sentence that ends", () => {
  for (const [name, { words }] of everySetting(tree)) {
    assert.match(words.description ?? "", /^\S.*\.$/, `${name}: give it .describe("….")`);
  }
});

test("the sample is a configuration without mistakes, and holds every setting", () => {
  const read = readConfig(sample(tree), "homing.yaml");
  assert.deepEqual(read.ok ? [] : read.problems, []);
  const value: unknown = parse(sample(tree));
  for (const [name] of everySetting(tree)) {
    if (!isOfOurs(name)) continue;
    assert.ok(has(value, name.split(".")), `${name}: give it .meta({ example: … })`);
  }
});

function has(value: unknown, [step, ...rest]: readonly string[]): boolean {
  if (step === undefined) return true;
  if (typeof value !== "object" || value === null || !(step in value)) return false;
  return has((value as Record<string, unknown>)[step], rest);
}

const word = z.string().meta({ type: "word", typeMeaning: "letters" });
const rows: [what: string, setting: z.ZodType, row: string][] = [
  ["text", z.string(), "| `x` | text | (required) | M. |"],
  ["a named type", word, "| `x` | word | (required) | M. |"],
  ["a named type with a check", word.refine(Boolean), "| `x` | word | (required) | M. |"],
  ["a named type behind a transform", word.transform(Number), "| `x` | word | (required) | M. |"],
  ["something made before it is checked", z.preprocess(String, word), "| `x` | word | (required) | M. |"],
  ["a choice", z.enum(["a", "b"]).default("a"), "| `x` | `a`, `b` | `a` | M. |"],
  ["a choice that may be empty", z.enum(["", "a"]).default(""), '| `x` | `""`, `a` | `""` | M. |'],
  ["one word", z.literal("a").optional(), "| `x` | `a` | none | M. |"],
  ["a switch", z.boolean().default(false), "| `x` | true, false | `false` | M. |"],
  ["a number with bounds", z.int().min(1).max(9).default(3), "| `x` | 1 to 9 | `3` | M. |"],
  ["a number without", z.number(), "| `x` | number | (required) | M. |"],
  ["a list", z.array(word).default([]), "| `x` | list of words | none | M. |"],
  ["a list with items", z.array(word).default(["a", "b"]), "| `x` | list of words | `a`, `b` | M. |"],
  ["a list that is not empty", z.array(word).min(1), "| `x` | list of words, at least 1 | (required) | M. |"],
  ["a list of choices", z.array(z.enum(["a", "b"])), "| `x` | list of `a`, `b` | (required) | M. |"],
  ["a table", z.record(word, z.int().min(1).max(2)).default({}), "| `x` | word → 1 to 2 | none | M. |"],
  ["one of two types", z.union([word, z.boolean()]), "| `x` | word or true, false | (required) | M. |"],
  ["a bar", z.enum(["|"]), "| `x` | `\\|` | (required) | M. |"],
  ["nothing by default", word.optional().meta({ without: "the y" }), "| `x` | word | the y | M. |"],
];
for (const [what, setting, row] of rows) {
  test(`the row of ${what} is ${row}`, () => {
    const shown = pageParts(settingTree(z.strictObject({ x: setting.describe("M.") }))).get("settings");
    assert.equal(shown, `| Setting | Type | Default | Meaning |\n| --- | --- | --- | --- |\n${row}\n`);
  });
}

const inner = z.strictObject({ y: word.describe("Y.") });
const nested: [what: string, setting: z.ZodType, names: string[]][] = [
  ["a map", inner, ["x", "x.y"]],
  ["a map that may be left out", inner.optional(), ["x", "x.y"]],
  [
    "a map whose settings all have defaults",
    z.strictObject({ z: word.default("a") }).prefault({}),
    ["x", "x.z"],
  ],
  ["a list of maps", z.array(inner), ["x", "x.N.y"]],
  ["a table of maps", z.record(word, inner), ["x", "x.WORD.y"]],
  ["one map of two", z.union([inner, z.strictObject({ z: word })]), ["x", "x.y", "x.z"]],
  ["a word or a map", z.union([word, inner]), ["x", "x.y"]],
];
for (const [what, setting, names] of nested) {
  test(`${what} has a row for ${names.join(", ")}`, () => {
    const tree = settingTree(z.strictObject({ x: setting }));
    assert.deepEqual(
      [...everySetting(tree)].map(([name]) => name),
      names,
    );
  });
}

test("types are told once, notes at their setting, in lines of at most 120 characters", () => {
  const long = "word ".repeat(40).trim();
  const parts = pageParts(
    settingTree(z.strictObject({ a: word, b: z.record(word, word).meta({ notes: `${long}.` }) })),
  );
  assert.equal(parts.get("types"), "- *word*: letters.\n");
  const lines = parts.get("notes")?.trimEnd().split("\n") ?? [];
  assert.equal(lines.map((line) => line.slice(2)).join(" "), `\`b\`: ${long}.`);
  assert.ok(lines.every((line) => line.length <= 120 && /^(?:- | {2})\S/.test(line)));
});

test("a page without a place for a part is told so", () => {
  assert.throws(() => withParts("# Page\n", new Map([["settings", ""]])), /no place for settings/);
});
