// The table in docs/mta.md: what each mail server gets from Homing, from the names of the stories that show it.
// `npm run docs:mta` writes it.
import assert from "node:assert/strict";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

const PAGE = join(import.meta.dirname, "../docs/mta.md");
const BEGIN = "<!-- table mta: written by a test, see npm run docs:mta -->\n";
const END = "<!-- end -->";

const ROWS = [
  "Postfix, milter",
  "Postfix, maps",
  "Postfix, tcp tables",
  "Sendmail, milter",
  "Sendmail, socket map",
  "Exim, readsocket",
  ".forward pipe",
  "procmail pipe",
] as const;
const COLUMNS = [
  "SRS out",
  "bounce back",
  "private DSN",
  "forged refused",
  "SPF",
  "local mail untouched",
] as const;

/** What stands in a cell where the test's name has no word for it. */
const PLAIN = "yes";
/** `ROW | COLUMN | sentence` or `ROW | COLUMN: word | sentence`, a literal. */
const NAME = /(["`])([^"`\n|]+) \| ([^"`\n|:]+)(?:: ([^"`\n|]+))? \| [^"`\n]+\1/g;

interface Shown {
  readonly file: string;
  readonly row: string;
  readonly column: string;
  readonly word: string;
}

test("docs/mta.md has the table of what each mail server gets, each cell from a story", () => {
  const shown = shownIn(storiesOfThisFolder());
  assert.deepEqual(problemsOf(shown), []);
  const table = renderTable(shown);
  const page = readFileSync(PAGE, "utf8");
  const from = page.indexOf(BEGIN) + BEGIN.length;
  assert.ok(from >= BEGIN.length, "docs/mta.md has no place for the table");
  const to = page.indexOf(END, from);
  if (process.env.HOMING_UPDATE_DOCS === "1") {
    writeFileSync(PAGE, `${page.slice(0, from)}\n${table}\n${page.slice(to)}`);
    return;
  }
  assert.equal(page.slice(from, to).trim(), table.trim(), "docs/mta.md is stale: npm run docs:mta");
});

const EXAMPLE = ROWS.flatMap((row) => COLUMNS.map((column) => `test("${row} | ${column} | it does", x);`));

test("a table needs every cell, and two tests of one cell the same word", () => {
  const problems = (lines: readonly string[]): string[] =>
    problemsOf(shownIn([{ file: "a.test.ts", text: lines.join("\n") }]));
  const [first = "", ...others] = EXAMPLE;
  assert.deepEqual(problems(EXAMPLE), []);
  assert.deepEqual(problems(others), ["Postfix, milter | SRS out: no test"]);
  // In pieces: this file is a test file, too.
  const other = first.replace("SRS out", "SRS out: no");
  assert.deepEqual(problems([...EXAMPLE, other]), ["Postfix, milter | SRS out: yes, and no"]);
  assert.deepEqual(problems([...EXAMPLE, first]), []);
  const misspelt = first.replace("SRS out", "SRS in");
  assert.deepEqual(problems([...EXAMPLE, misspelt]), [
    "Postfix, milter | SRS in: no such cell, in a.test.ts",
  ]);
});

test("a cell has the word of its test", () => {
  const lines = EXAMPLE.map((line) =>
    line.replace("Exim, readsocket | SPF", "Exim, readsocket | SPF: with an ACL"),
  );
  const table = renderTable(shownIn([{ file: "a.test.ts", text: lines.join("\n") }]));
  assert.match(table, /^\| Exim, readsocket \| yes \| yes \| yes \| yes \| with an ACL \| yes \|/m);
});

interface Story {
  readonly file: string;
  readonly text: string;
}

function storiesOfThisFolder(): Story[] {
  return globSync("*.test.ts", { cwd: import.meta.dirname })
    .filter((file) => file !== "mta-table.test.ts")
    .sort()
    .map((file) => ({ file, text: readFileSync(join(import.meta.dirname, file), "utf8") }));
}

function shownIn(stories: readonly Story[]): Shown[] {
  return stories.flatMap(({ file, text }) =>
    [...withConstants(text).matchAll(NAME)]
      .map(([, , row = "", column = "", word = PLAIN]) => ({ file, row, column, word }))
      // Other literals may have a bar in them.
      .filter(({ row, column }) => isOne(ROWS, row) || isOne(COLUMNS, column)),
  );
}

/** A story may say its row once: `const ROW = "…"`, and `${ROW}` in names. */
function withConstants(text: string): string {
  const row = /^const ROW = "([^"]+)";$/m.exec(text)?.[1];
  return row === undefined ? text : text.replaceAll(/\$\{ROW\}/g, row);
}

function isOne(words: readonly string[], word: string): boolean {
  return words.includes(word);
}

function problemsOf(shown: readonly Shown[]): string[] {
  const strange = shown
    .filter(({ row, column }) => !isOne(ROWS, row) || !isOne(COLUMNS, column))
    .map(({ row, column, file }) => `${row} | ${column}: no such cell, in ${file}`);
  const cells = ROWS.flatMap((row) => COLUMNS.map((column) => [row, column] as const));
  return strange.concat(
    cells.flatMap(([row, column]) => {
      const words = wordsOf(shown, row, column);
      if (words.length === 1) return [];
      return [`${row} | ${column}: ${words.length === 0 ? "no test" : words.join(", and ")}`];
    }),
  );
}

/** Each once. */
function wordsOf(shown: readonly Shown[], row: string, column: string): string[] {
  return [
    ...new Set(shown.filter((one) => one.row === row && one.column === column).map(({ word }) => word)),
  ];
}

function renderTable(shown: readonly Shown[]): string {
  const rows = ROWS.map((row) => {
    const files = [...new Set(shown.filter((one) => one.row === row).map(({ file }) => file))];
    const links = files.map((file) => `[${file.replace(".test.ts", "")}](../test/${file})`);
    return [row, ...COLUMNS.map((column) => wordsOf(shown, row, column).join(", ")), links.join(", ")];
  });
  const lines = [["", ...COLUMNS, "Shown by"], Array(COLUMNS.length + 2).fill("---"), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}
