import assert from "node:assert/strict";
import { test } from "node:test";
import * as z from "zod";
import { readConfigSource } from "./config-source.ts";
import { effectiveValues, type PlainValue } from "./effective-values.ts";
import { readConfig } from "./load-config.ts";
import { configSchema } from "./schema.ts";
import { everySetting, settingTree } from "./setting-tree.ts";

type Row = readonly [name: string, value: PlainValue | undefined, from: string];

function shown(schema: z.ZodType, text: string): Row[] {
  const read = readConfigSource(text);
  assert.ok(read.ok);
  const { source } = read;
  const effective = { config: schema.parse(source.value), source, path: "etc/homing.yaml" };
  return effectiveValues(settingTree(schema), effective).map(({ name, value, place }) => [
    name,
    value,
    place ? `${place.line}:${place.column}` : "default",
  ]);
}

const upper = z.string().transform((text) => text.toUpperCase());
const server = z.string().transform((host) => ({ host, port: 25 }));
const file = z.string().meta({ type: "file" });
const upperTable = z
  .record(z.string(), server)
  .transform((table) =>
    Object.fromEntries(Object.entries(table).map(([name, value]) => [name.toUpperCase(), value])),
  );
const point = z.strictObject({ x: z.int().default(1), y: z.int().optional() });

const tables: [what: string, setting: z.ZodType, text: string, rows: Row[]][] = [
  ["a value as it holds", upper, "s: a", [["s", "A", "1:4"]]],
  ["a default", z.int().default(3), "{}", [["s", 3, "default"]]],
  ["a default that is written out", z.int().default(3), "s: 3", [["s", 3, "1:4"]]],
  ["what is left out", z.string().optional(), "{}", [["s", undefined, "default"]]],
  ["no text at all", z.string(), 's: ""', [["s", "", "1:4"]]],
  ["a server as it is written", server, "s: a.test", [["s", "a.test:25", "1:4"]]],
  ["a server with an IPv6 address", server, 's: "::1"', [["s", "[::1]:25", "1:4"]]],
  ["a file with its folder", file, "s: a", [["s", "etc/a", "1:4"]]],
  ["a file that has one", file, "s: /var/a", [["s", "/var/a", "1:4"]]],
  ["a list on one line", z.array(file), "s: [a, b]", [["s", ["etc/a", "etc/b"], "1:4"]]],
  ["an empty list", z.array(file).default([]), "{}", [["s", [], "default"]]],
  [
    "each entry of a table, and where it stands",
    upperTable,
    "s:\n  b.test: x\n  a.test: y\n  25: z",
    [
      ["s.25", "z:25", "4:7"],
      ["s.B.TEST", "x:25", "2:11"],
      ["s.A.TEST", "y:25", "3:11"],
    ],
  ],
  ["an empty table", upperTable.default({}), "{}", [["s", undefined, "default"]]],
  ["an empty table that is written", upperTable.default({}), "s: {}", [["s", undefined, "1:4"]]],
  [
    "the entries of a table that is there by default",
    z.record(z.string(), z.string()).default({ a: "b" }),
    "{}",
    [["s.a", "b", "default"]],
  ],
  [
    "a map by its settings",
    point,
    "s: { y: 2 }",
    [
      ["s.x", 1, "default"],
      ["s.y", 2, "1:9"],
    ],
  ],
  ["a map that is left out", point.optional(), "{}", [["s", undefined, "default"]]],
  [
    "a list of maps by position",
    z.array(point),
    "s: [{ x: 5 }, {}]",
    [
      ["s.0.x", 5, "1:10"],
      ["s.0.y", undefined, "default"],
      ["s.1.x", 1, "default"],
      ["s.1.y", undefined, "default"],
    ],
  ],
  [
    "a table of maps by name",
    z.record(z.string(), point),
    "s: { a: { x: 5, y: 6 } }",
    [
      ["s.a.x", 5, "1:14"],
      ["s.a.y", 6, "1:20"],
    ],
  ],
  [
    "of two forms the one that is written",
    z.union([z.string(), point]),
    "s: { x: 5, y: 6 }",
    [
      ["s.x", 5, "1:9"],
      ["s.y", 6, "1:15"],
    ],
  ],
];
for (const [what, setting, text, rows] of tables) {
  test(`shown is ${what}`, () => {
    assert.deepEqual(shown(z.strictObject({ s: setting }), text), rows);
  });
}

test("stores and replies are shown as they could stand in the file", () => {
  const path = "homing.yaml";
  const shownValue = (store: string): (PlainValue | undefined)[] => {
    const text = `hostname: a.test
domains: [a.test]
aliasesFile: a
srs: { domain: a.test, secretsFile: s }
domainSettings: { A.test: { unknownReply: nobody here } }
localDelivery: { store: "${store}" }
`;
    const read = readConfig(text, path);
    assert.ok(read.ok);
    const values = effectiveValues(settingTree(configSchema), { ...read, path });
    const names = ["localDelivery.store", "domainSettings.a.test.unknownReply"];
    return names.map((name) => values.find((value) => value.name === name)?.value);
  };
  for (const store of [
    "lmtp:127.0.0.1:24",
    "lmtp:[::1]:24",
    "lmtp:/run/lmtp",
    "maildir:/m/{domain}/{user}",
  ]) {
    assert.deepEqual(shownValue(store), [store, "550 5.1.1 nobody here"]);
  }
});

test("every setting of the schema is shown, though the file has the least", () => {
  const path = "homing.yaml";
  const read = readConfig(
    "hostname: a.test\ndomains: [a.test]\naliasesFile: a\nsrs: { domain: a.test, secretsFile: s }\n",
    path,
  );
  assert.ok(read.ok);
  const tree = settingTree(configSchema);
  const names = new Set(effectiveValues(tree, { ...read, path }).map(({ name }) => name));
  for (const [name, { kind }] of everySetting(tree)) {
    const above = name.split(".").map((_, at, steps) => steps.slice(0, at + 1).join("."));
    const isShown = above.some((one) => names.has(one));
    // A map is shown by what is in it.
    assert.ok(isShown || kind.kind === "map", name);
  }
});
