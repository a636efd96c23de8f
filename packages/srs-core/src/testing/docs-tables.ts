// The tables in docs/srs.md that tests write: each stands between two markers. `npm run docs:srs` writes them anew.
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const FILE = join(import.meta.dirname, "../../../../docs/srs.md");

/** Fails when the table in the document is not this one; with HOMING_UPDATE_DOCS=1 it writes it there. */
export function assertDocumented(name: string, table: string): void {
  const [begin, end] = [`<!-- table ${name}: written by a test, see npm run docs:srs -->\n`, "<!-- end -->"];
  const document = readFileSync(FILE, "utf8");
  const from = document.indexOf(begin) + begin.length;
  assert.ok(from >= begin.length, `docs/srs.md has no place for the table ${name}`);
  const to = document.indexOf(end, from);
  if (process.env.HOMING_UPDATE_DOCS === "1") {
    writeFileSync(FILE, `${document.slice(0, from)}\n${table}\n${document.slice(to)}`);
    return;
  }
  assert.equal(document.slice(from, to).trim(), table.trim(), "docs/srs.md is stale: npm run docs:srs");
}

export function markdownTable(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |\n`;
  return line(heads) + line(heads.map(() => "---")) + rows.map(line).join("");
}
