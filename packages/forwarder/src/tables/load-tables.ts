// Reads the table files and checks them as a whole: every mistake in one run, each with file, line and column. Called by
// the composition root at start, at a reload and by `homing config check`.
import { printable, renderMailbox } from "@homing/srs-core";
import { parseAliasFile } from "./alias-file.ts";
import { checkTables } from "./check-tables.ts";
import type { Entry, LoadedTarget, Slot, TableProblem } from "./entry.ts";
import {
  createListReader,
  type ListReader,
  type OpenTable,
  type Reading,
  wholeText,
} from "./included-lists.ts";
import { domainOfNames, isElsewhere, type TableRules, type Tables } from "./tables.ts";
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
      /** Without these, nobody knows what the names of the other mean: it was not checked as a whole. */
      readonly unread: readonly UnreadTable[];
      readonly files: readonly string[];
    };

/** One of the two tables, and why it cannot be read. */
export interface UnreadTable {
  readonly table: "aliases" | "virtual";
  /** The system's, or of whoever opens tables. */
  readonly error: unknown;
}

/** A table full of mistakes shall not fill the terminal; and that of the other tables shall be seen. */
const MAX_PROBLEMS = 100;

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
  const unread: UnreadTable[] = [];
  for (const table of ["aliases", "virtual"] as const) {
    const error = await unreadable(async (marked) => {
      const marking = { ...reading, openTable: (path: string) => marked(reading.openTable(path)) };
      if (table === "aliases") await loadAliases(files, tables, lists, marking);
      else await loadVirtual(files, tables, lists, marking);
    });
    if (error) unread.push({ table, error: error.cause });
  }
  if (unread.length === 0) await checkTables(tables, files, problems.report);
  if (problems.all.length + unread.length === 0) return { ok: true, tables, files: [...read] };
  const told = inOrder(problems.all);
  return { ok: false, problems: told, more: problems.more(), unread, files: [...read] };
}

/** An error of whoever opens tables, and no bug of ours. */
class Unreadable extends Error {}

type Pieces = AsyncIterable<Buffer>;

async function unreadable(
  load: (marked: (pieces: Pieces) => Pieces) => Promise<void>,
): Promise<Unreadable | undefined> {
  try {
    await load(async function* (pieces) {
      try {
        yield* pieces;
      } catch (cause) {
        throw new Unreadable("", { cause });
      }
    });
    return undefined;
  } catch (error) {
    if (error instanceof Unreadable) return error;
    throw error;
  }
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
  { aliases: file }: TableFiles,
  { rules, aliases }: MutableTables,
  lists: ListReader,
  { openTable, report }: Reading,
): Promise<void> {
  if (file === undefined) return;
  const parsed = parseAliasFile(await wholeText(openTable(file)));
  for (const problem of parsed.problems) report({ file, ...problem });
  const names = new Set(parsed.entries.map(({ name }) => name));
  for (const { name, line, targets } of parsed.entries) {
    const owner = `owner-${name}`;
    const loaded = entry(rules, { file, line }, await lists.loaded(file, targets));
    aliases.set(name, names.has(owner) ? { ...loaded, owner } : loaded);
  }
}

/** An entry with one target is kept small; others keep the places of their targets, for messages. */
function entry(
  rules: TableRules,
  { file, line }: { readonly file: string; readonly line: number },
  targets: readonly LoadedTarget[],
): Entry {
  const [only] = targets;
  const isShort = targets.length === 1 && only?.line === line;
  if (isShort && only.kind === "name")
    return { file, line, targets: only.name, column: only.column, away: false };
  if (!isShort || only.kind !== "mailbox") return { file, line, targets, away: false };
  const away = isElsewhere(rules, only.mailbox.domain);
  return { file, line, targets: renderMailbox(only.mailbox), column: only.column, away };
}

async function loadVirtual(
  { virtual: file, everyLine = false }: TableFiles,
  tables: MutableTables,
  lists: ListReader,
  { openTable, report }: Reading,
): Promise<void> {
  if (file === undefined) return;
  const wrong = (line: number, column: number, message: string): void =>
    report({ file, line, column, message });
  /** Lines with lists, which are read when the table is. */
  const waiting: (VirtualLine & { readonly targets: readonly PlacedTarget[] })[] = [];
  await parseVirtualFile(openTable(file), wrong, (parsed) => {
    const { line, key, targets } = parsed;
    const problem = keyProblem(parsed, tables);
    if (problem) wrong(line, 1, problem);
    // What stands behind a domain means nothing.
    if (problem && key.kind === "name") return;
    if (key.kind === "address")
      tables.addressCounts.set(key.domain, 1 + (tables.addressCounts.get(key.domain) ?? 0));
    const table = tableOf(parsed, tables);
    const before = table.size;
    const slot = slotOf(tables.rules, file, parsed, everyLine);
    if (slot === undefined && typeof targets !== "string") waiting.push({ ...parsed, targets });
    table.set(key.text, slot ?? "");
    // One look-up, not two. Which of the lines holds does not matter: the table is wrong.
    if (table.size === before)
      wrong(line, 1, `${keyText(key)} stands on an earlier line already: join the two`);
  });
  for (const parsed of waiting) {
    const targets = await lists.loaded(file, parsed.targets);
    tableOf(parsed, tables).set(parsed.key.text, entry(tables.rules, { file, line: parsed.line }, targets));
  }
}

/** The usual line of a large table is kept as its text. Undefined for a line with lists, which are read later. */
function slotOf(rules: TableRules, file: string, parsed: VirtualLine, everyLine: boolean): Slot | undefined {
  const { line, column, targets, key, behindKey } = parsed;
  if (typeof targets !== "string") {
    const leaves = targets.filter((target) => target.kind !== "include");
    if (leaves.length < targets.length) return undefined;
    if (!behindKey || (leaves.length === 1 && !endsHere(rules, key, targets)))
      return entry(rules, { file, line }, leaves);
    const text = behindKey();
    if (!everyLine && !isPostmaster(key) && endsHere(rules, key, targets)) return text;
    const blanks = text.length - text.trimStart().length;
    return { file, line, targets: text, column: column - blanks, away: false };
  }
  const away = isElsewhere(rules, targets.slice(targets.lastIndexOf("@") + 1));
  if (away && !everyLine) return targets;
  return { file, line, targets, column, away };
}

/** Its line may be asked for. */
function isPostmaster({ text }: VirtualLine["key"]): boolean {
  return text.startsWith("postmaster");
}

/** They need no look at any table, and nothing can be wrong with them. */
function endsHere(rules: TableRules, { kind, domain }: VirtualLine["key"], targets: readonly PlacedTarget[]) {
  const isKept = kind !== "name" && domainOfNames(rules, domain) === domain && rules.staysAt(domain);
  return targets.every((target) => {
    if (target.kind === "mailbox") return isElsewhere(rules, target.mailbox.domain);
    if (target.kind !== "local") return target.kind === "discard" || target.kind === "refuse";
    return isKept && rules.mailboxFault({ localPart: target.user, domain }) === undefined;
  });
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

function keyProblem({ key }: VirtualLine, { rules }: Tables): string | undefined {
  if (key.kind === "name") {
    if (!rules.domains.has(key.text) && !rules.domainAliases.has(key.text)) return undefined;
    const name = printable(key.text);
    return `"${name}" alone declares a domain to Postfix: it is known already, take this line out`;
  }
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
