// The table in docs/spf.md: what is tested of each section, from the names of the tests. `npm run docs:spf` writes it.
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { readVectors } from "./testing/vectors.ts";

const PACKAGE = join(import.meta.dirname, "..");
const PAGE = join(PACKAGE, "../../docs/spf.md");
const BEGIN = "<!-- table conformance: written by a test, see npm run docs:spf -->\n";
const END = "<!-- end -->";
const NAME = /^(RFC \d+ §[\d.]+|§[\d.]+) (.+)$/;

test("docs/spf.md has the table of what is tested of each section", () => {
  const names = [...namesInTests(), ...namesOfVectors()];
  assert.ok(names.length > 200, `${names.length} names`);
  const table = tableOf(names);
  const page = readFileSync(PAGE, "utf8");
  const from = page.indexOf(BEGIN) + BEGIN.length;
  assert.ok(from >= BEGIN.length, "docs/spf.md has no place for the table");
  const to = page.indexOf(END, from);
  if (process.env.HOMING_UPDATE_DOCS === "1") {
    writeFileSync(PAGE, `${page.slice(0, from)}\n${table}\n${page.slice(to)}`);
    return;
  }
  assert.equal(page.slice(from, to).trim(), table.trim(), "docs/spf.md is stale: npm run docs:spf");
});

/** Names are literals that begin with their section, and nothing else in a test does. */
function namesInTests(): string[] {
  return globSync("src/*.test.ts", { cwd: PACKAGE })
    .sort()
    .flatMap((file) => [
      ...readFileSync(join(PACKAGE, file), "utf8").matchAll(/"((?:RFC \d+ )?§\d[^"\n]* [^"\n]*)"/g),
    ])
    .map(([, name = ""]) => name);
}

function namesOfVectors(): string[] {
  return globSync("testdata/*.yml", { cwd: PACKAGE })
    .sort()
    .flatMap((file) => readVectors(readFileSync(join(PACKAGE, file), "utf8")))
    .map(({ name }) => `${name} (vector)`);
}

function tableOf(names: readonly string[]): string {
  const sections = new Map<string, string[]>();
  for (const name of names) {
    const [, section = "", fact = ""] = NAME.exec(name) ?? assert.fail(name);
    sections.set(section, [...(sections.get(section) ?? []), fact]);
  }
  const rows = [...sections].sort(([one], [other]) => bySection(one, other));
  const lines = rows.map(([section, facts]) => {
    const vectors = facts.filter((fact) => fact.endsWith(" (vector)")).length;
    const shown = facts
      .filter((fact) => !fact.endsWith(" (vector)"))
      .map((fact) => fact.replaceAll("|", "\\|"));
    return `| ${section} | ${facts.length} | ${[...shown, ...(vectors > 0 ? [`${vectors} ${vectors === 1 ? "vector" : "vectors"}`] : [])].join("; ")} |`;
  });
  return ["| Section | Tests | What they show |", "| --- | --- | --- |", ...lines, ""].join("\n");
}

/** Numbers as numbers; other RFCs behind RFC 7208. */
function bySection(one: string, other: string): number {
  return one.localeCompare(other, "en", { numeric: true });
}
