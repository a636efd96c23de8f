// Reads the table files and checks them as a whole: every mistake in one run, each with file, line and column. Called by
// the composition root at start, at a reload and by `homing config check`.
import { printable, renderMailbox } from "@homing/srs-core";
import type { Problem } from "../problem.ts";
import { logicalLines, parseAliasFile } from "./alias-file.ts";
import { checkTables } from "./check-tables.ts";
import type { Entry, Slot, TableProblem } from "./entry.ts";
import { isOurs, type TableRules, type Tables } from "./tables.ts";
import { type PlacedTarget, parseTargets } from "./target.ts";
import { parseVirtualFile, type VirtualLine } from "./virtual-file.ts";

/** Paths of the files. */
export interface TableFiles {
  readonly aliases?: string | undefined;
  readonly virtual?: string | undefined;
  /** Keep the line of every entry, for those who ask which one decided. */
  readonly everyLine?: boolean;
}

/** Throws the system's error. Piece by piece, because a table may be larger than what is kept of it. */
export type OpenTable = (path: string) => AsyncIterable<Buffer>;

export type LoadedTables =
  | {
      readonly ok: true;
      readonly tables: Tables;
      /** All that was read, with the :include: lists: a change of any asks for a reload. */
      readonly files: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly TableProblem[]; readonly files: readonly string[] };

/** A table full of mistakes shall not fill the terminal. */
const MAX_PROBLEMS = 100;

/** Rejects with the system's error where one of the two files cannot be read. */
export async function loadTables(
  files: TableFiles,
  rules: TableRules,
  openTable: OpenTable,
): Promise<LoadedTables> {
  const problems: TableProblem[] = [];
  const read = new Set<string>();
  const openNoted: OpenTable = (path) => {
    read.add(path);
    return openTable(path);
  };
  const tables = {
    rules,
    virtualFile: files.virtual ?? "",
    addresses: new Map<string, Slot>(),
    catchAlls: new Map<string, Slot>(),
    names: new Map<string, Slot>(),
    aliases: new Map<string, Entry>(),
  };
  if (files.aliases !== undefined) await loadAliases(files.aliases, tables, openNoted, problems);
  if (files.virtual !== undefined) await loadVirtual(files.virtual, files, tables, openNoted, problems);
  checkTables(tables, files, (problem) => problems.push(problem));
  if (problems.length === 0) return { ok: true, tables, files: [...read] };
  return { ok: false, problems: inOrder(problems).slice(0, MAX_PROBLEMS), files: [...read] };
}

function inOrder(problems: readonly TableProblem[]): TableProblem[] {
  return problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}

async function loadAliases(
  file: string,
  { rules, aliases }: MutableTables,
  openTable: OpenTable,
  problems: TableProblem[],
): Promise<void> {
  const parsed = parseAliasFile(await wholeText(openTable(file)));
  for (const problem of parsed.problems) problems.push({ file, ...problem });
  for (const { name, line, targets } of parsed.entries) {
    const included = await withIncludes({ file, targets }, { openTable, problems, within: [file] });
    aliases.set(name, entry(rules, file, line, included));
  }
}

/** An entry that leads away is kept small; others keep the places of their targets, for messages. */
function entry(rules: TableRules, file: string, line: number, given: Entry["targets"]): Entry {
  const [only] = given;
  const single = typeof only === "object" && given.length === 1 && only.kind === "mailbox";
  const text = single ? renderMailbox(only.mailbox) : given;
  const away = typeof text === "string" && !isOurs(rules, text.slice(text.lastIndexOf("@") + 1));
  return { file, line, targets: away ? text : given, away };
}

interface IncludeContext {
  readonly openTable: OpenTable;
  readonly problems: TableProblem[];
  /** Files on the way to this one. */
  readonly within: readonly string[];
}

const MAX_INCLUDES = 10;

/** With the addresses of each `:include:` list in its place. */
async function withIncludes(
  { file, targets }: { readonly file: string; readonly targets: readonly PlacedTarget[] },
  context: IncludeContext,
): Promise<readonly PlacedTarget[]> {
  if (!targets.some(({ kind }) => kind === "include")) return targets;
  const all: PlacedTarget[] = [];
  for (const target of targets) {
    if (target.kind !== "include") all.push(target);
    else all.push(...(await includedTargets(file, target, context)));
  }
  return all;
}

async function includedTargets(
  file: string,
  { path, line, column }: Extract<PlacedTarget, { kind: "include" }>,
  { openTable, problems, within }: IncludeContext,
): Promise<readonly PlacedTarget[]> {
  const wrong = (message: string): [] => {
    problems.push({ file, line, column, message });
    return [];
  };
  if (within.includes(path))
    return wrong(`:include: loop: ${[...within, path].join(" → ")}: take one of them out`);
  if (within.length > MAX_INCLUDES)
    return wrong(`lists are nested more than ${MAX_INCLUDES} deep: join some of them`);
  const text = await wholeText(openTable(path)).catch((error: Error) => error);
  if (text instanceof Error) {
    return wrong(`list ${printable(path)} cannot be read (${text.message}): correct the path or its rights`);
  }
  const listed = parseList(text, path, problems);
  const targets = await withIncludes(
    { file: path, targets: listed },
    { openTable, problems, within: [...within, path] },
  );
  // A list's own lines are told in its own file; what comes of them later is told where the list was named.
  return targets.map((target) => ({ ...target, line, column }));
}

/** Addresses with commas or line ends between them. */
function parseList(text: string, file: string, problems: TableProblem[]): readonly PlacedTarget[] {
  const own: Problem[] = [];
  const targets = [...logicalLines(text.replace(/^[ \t]+/gm, ""), own)].flatMap((line) => {
    const ended = { ...line, text: line.text.replace(/,[ \t]*$/, "") };
    return parseTargets(ended, 0, (at, message) => own.push({ ...line.place(at), message }));
  });
  for (const problem of own) problems.push({ file, ...problem });
  return targets;
}

async function wholeText(pieces: AsyncIterable<Buffer>): Promise<string> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString("utf8");
}

async function loadVirtual(
  file: string,
  { everyLine = false }: TableFiles,
  tables: MutableTables,
  openTable: OpenTable,
  problems: TableProblem[],
): Promise<void> {
  const report = (line: number, column: number, message: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ file, line, column, message });
  };
  await parseVirtualFile(openTable(file), report, (parsed) => {
    const { line, targets } = parsed;
    const wrong = keyProblem(parsed, tables);
    if (wrong) report(line, 1, wrong);
    const table = tableOf(parsed, tables);
    const key = parsed.key.text;
    const made = entry(tables.rules, file, line, targets);
    const before = table.size;
    table.set(key, made.away && !everyLine && typeof made.targets === "string" ? made.targets : made);
    // One look-up, not two. Which of the lines holds does not matter: the table is wrong.
    if (table.size === before)
      report(line, 1, `"${printable(key)}" stands on an earlier line already: join the two`);
  });
}

interface MutableTables extends Tables {
  readonly addresses: Map<string, Slot>;
  readonly catchAlls: Map<string, Slot>;
  readonly names: Map<string, Slot>;
  readonly aliases: Map<string, Entry>;
}

function tableOf({ key }: VirtualLine, tables: MutableTables): Map<string, Slot> {
  if (key.kind === "address") return tables.addresses;
  return key.kind === "catch-all" ? tables.catchAlls : tables.names;
}

function keyProblem({ key }: VirtualLine, { rules }: Tables): string | undefined {
  if (key.kind === "name") return undefined;
  const { domain } = key;
  if (rules.domainAliases.has(domain)) {
    return `${domain} is another name of ${rules.domainAliases.get(domain)}: write the address at that one`;
  }
  if (key.kind === "catch-all" && rules.ownNames.has(domain)) {
    return `a catch-all at ${domain} would take every guess at an address of our own: name the addresses`;
  }
  if (rules.domains.has(domain)) return undefined;
  return `${domain} is none of our domains: add it to domains, or take this line out`;
}
