// Reads the table files and checks them as a whole: every mistake in one run, each with file, line and column. Called by
// the composition root at start, at a reload and by `homing config check`.
import { printable, renderMailbox } from "@homing/srs-core";
import { parseAliasFile } from "./alias-file.ts";
import { checkTables } from "./check-tables.ts";
import { type Entry, type LoadedTarget, type Slot, storedMailbox, type TableProblem } from "./entry.ts";
import {
  createListReader,
  type ListReader,
  type OpenTable,
  type Reading,
  wholeText,
} from "./included-lists.ts";
import { isElsewhere, type TableRules, type Tables } from "./tables.ts";
import type { PlacedTarget } from "./target.ts";
import { parseVirtualFile, type VirtualLine } from "./virtual-file.ts";

/** Paths of the files. */
export interface TableFiles {
  readonly aliases?: string | undefined;
  readonly virtual?: string | undefined;
  /** Keep the line of every entry, for those who ask which one decided. */
  readonly everyLine?: boolean;
}

export type LoadedTables =
  | {
      readonly ok: true;
      readonly tables: Tables;
      /** All that was read, with the :include: lists: a change of any asks for a reload. */
      readonly files: readonly string[];
    }
  | {
      readonly ok: false;
      /** A hundred of each file at most. */
      readonly problems: readonly TableProblem[];
      /** How many there are beside those. */
      readonly more: number;
      readonly files: readonly string[];
    };

/** A table full of mistakes shall not fill the terminal; and that of the other tables shall be seen. */
const MAX_PROBLEMS = 100;

/** Rejects with the system's error where one of the two files cannot be read. */
export async function loadTables(
  files: TableFiles,
  rules: TableRules,
  openTable: OpenTable,
): Promise<LoadedTables> {
  const problems = createProblems();
  const read = new Set<string>();
  const reading: Reading = {
    openTable(path) {
      read.add(path);
      return openTable(path);
    },
    report: problems.report,
  };
  const tables = {
    rules,
    virtualFile: files.virtual ?? "",
    addresses: new Map<string, Slot>(),
    addressCounts: new Map<string, number>(),
    catchAlls: new Map<string, Slot>(),
    names: new Map<string, Slot>(),
    aliases: new Map<string, Entry>(),
  };
  const lists = createListReader(reading, Object.values(files));
  if (files.aliases !== undefined) await loadAliases(files.aliases, tables, lists, reading);
  if (files.virtual !== undefined) await loadVirtual(files.virtual, files, tables, lists, reading);
  checkTables(tables, files, problems.report);
  if (problems.all.length === 0) return { ok: true, tables, files: [...read] };
  return { ok: false, problems: inOrder(problems.all), more: problems.more(), files: [...read] };
}

function createProblems() {
  const all: TableProblem[] = [];
  const counts = new Map<string, number>();
  let more = 0;
  return {
    all,
    /** Those that are not told. */
    more: () => more,
    report(problem: TableProblem): void {
      const count = (counts.get(problem.file) ?? 0) + 1;
      counts.set(problem.file, count);
      if (count <= MAX_PROBLEMS) all.push(problem);
      else more++;
    },
  };
}

function inOrder(problems: readonly TableProblem[]): TableProblem[] {
  return problems.toSorted(
    (a, b) => (a.file < b.file ? -1 : Number(a.file > b.file)) || a.line - b.line || a.column - b.column,
  );
}

async function loadAliases(
  file: string,
  { rules, aliases }: MutableTables,
  lists: ListReader,
  { openTable, report }: Reading,
): Promise<void> {
  const parsed = parseAliasFile(await wholeText(openTable(file)));
  for (const problem of parsed.problems) report({ file, ...problem });
  const names = new Set(parsed.entries.map(({ name }) => name));
  for (const { name, line, targets } of parsed.entries) {
    const owner = `owner-${name}`;
    const loaded = entry(rules, { file, line }, await lists.loaded(file, targets));
    aliases.set(name, names.has(owner) ? { ...loaded, owner } : loaded);
  }
}

/** An entry that leads away is kept small; others keep the places of their targets, for messages. */
function entry(
  rules: TableRules,
  { file, line }: { readonly file: string; readonly line: number },
  targets: readonly LoadedTarget[],
): Entry {
  const [only] = targets;
  if (targets.length !== 1 || only?.kind !== "mailbox") return { file, line, targets, away: false };
  return isElsewhere(rules, only.mailbox.domain)
    ? { file, line, targets: renderMailbox(only.mailbox), away: true }
    : { file, line, targets, away: false };
}

async function loadVirtual(
  file: string,
  { everyLine = false }: TableFiles,
  tables: MutableTables,
  lists: ListReader,
  { openTable, report }: Reading,
): Promise<void> {
  const wrong = (line: number, column: number, message: string): void =>
    report({ file, line, column, message });
  /** Lines with lists, which are read when the table is. */
  const waiting: (VirtualLine & { readonly targets: readonly PlacedTarget[] })[] = [];
  await parseVirtualFile(openTable(file), wrong, (parsed) => {
    const { line, key, targets } = parsed;
    const problem = keyProblem(parsed, tables);
    if (problem) wrong(line, 1, problem);
    if (key.kind === "address")
      tables.addressCounts.set(key.domain, 1 + (tables.addressCounts.get(key.domain) ?? 0));
    const table = tableOf(parsed, tables);
    const before = table.size;
    if (typeof targets !== "string") waiting.push({ ...parsed, targets });
    table.set(key.text, slotOf(tables.rules, file, parsed, everyLine));
    // One look-up, not two. Which of the lines holds does not matter: the table is wrong.
    if (table.size === before)
      wrong(line, 1, `${keyText(key)} stands on an earlier line already: join the two`);
  });
  for (const parsed of waiting) {
    const targets = await lists.loaded(file, parsed.targets);
    tableOf(parsed, tables).set(parsed.key.text, entry(tables.rules, { file, line: parsed.line }, targets));
  }
}

/** The usual line of a large table is kept as its text. Lines of other kinds have their turn later. */
function slotOf(
  rules: TableRules,
  file: string,
  { line, column, targets }: VirtualLine,
  everyLine: boolean,
): Slot {
  if (typeof targets !== "string") return "";
  const away = isElsewhere(rules, targets.slice(targets.lastIndexOf("@") + 1));
  if (away && !everyLine) return targets;
  const mailbox = storedMailbox(targets);
  return { file, line, targets: away ? targets : [{ kind: "mailbox", mailbox, line, column }], away };
}

function keyText({ kind, text }: VirtualLine["key"]): string {
  return `"${kind === "catch-all" ? "@" : ""}${printable(text)}"`;
}

interface MutableTables extends Tables {
  readonly addresses: Map<string, Slot>;
  readonly addressCounts: Map<string, number>;
  readonly catchAlls: Map<string, Slot>;
  readonly names: Map<string, Slot>;
  readonly aliases: Map<string, Entry>;
}

function tableOf({ key }: VirtualLine, tables: MutableTables): Map<string, Slot> {
  if (key.kind === "address") return tables.addresses;
  return key.kind === "catch-all" ? tables.catchAlls : tables.names;
}

function keyProblem({ key, targets }: VirtualLine, { rules }: Tables): string | undefined {
  if (key.kind === "name") return domainLineProblem(key.text, targets, rules);
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

/** Postfix's virtual(5) has lines for domains; what stands behind them means nothing. */
function domainLineProblem(
  key: string,
  targets: VirtualLine["targets"],
  { domains, domainAliases }: TableRules,
): string | undefined {
  const declares = `"${printable(key)}" alone declares a domain to Postfix:`;
  if (domains.has(key) || domainAliases.has(key))
    return `${declares} it is known already, take this line out`;
  const isName = typeof targets !== "string" && targets.length === 1 && targets[0]?.kind === "name";
  return key.includes(".") && isName ? `${declares} list it in domains, and take this line out` : undefined;
}
