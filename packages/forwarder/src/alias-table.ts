// The alias table: where each name of an alias file leads in the end. Built once at start; a mistake in it is told
// then, with file and line, and not to somebody's mail later. Called by the composition root; read by routes.ts.
import { asciiLower, type Mailbox, renderMailbox } from "@homing/srs-core";
import { type AliasEntry, type AliasTarget, parseAliasFile } from "./alias-file.ts";
import type { Problem } from "./problem.ts";

export interface AliasTable {
  /** The addresses behind a name, each once; undefined where there is no such name. */
  targets(name: string): readonly Mailbox[] | undefined;
  readonly size: number;
}

export type BuiltAliasTable =
  | { readonly ok: true; readonly table: AliasTable }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Names inside names: deeper than this is a mistake. Sendmail's MaxAliasRecursion is 10. */
const MAX_NESTING = 50;

/**
 * Reads an alias file and follows every name to addresses outside.
 * @param localDomains a target at one of these is a name of this file again
 */
export function buildAliasTable(text: string, localDomains: readonly string[]): BuiltAliasTable {
  const file = parseAliasFile(text);
  const local = new Set(localDomains.map(asciiLower));
  const entries = new Map(file.entries.map((entry) => [entry.name, entry]));
  const problems = [...file.problems];
  const table = new Map<string, readonly Mailbox[]>();
  const inLoops = new Set<string>();

  /** `seen` keeps names that several branches share from being walked again and again. */
  const follow = (
    entry: AliasEntry,
    path: readonly string[],
    seen: Set<string>,
    found: Map<string, Mailbox>,
  ): void => {
    seen.add(entry.name);
    for (const target of entry.targets) {
      const name = localName(target, local);
      if (name === undefined) {
        if (target.kind === "mailbox") found.set(mailboxKey(target.mailbox), target.mailbox);
        continue;
      }
      const next = entries.get(name);
      if (!next) {
        // Told once, at the entry that holds it.
        if (path.length === 1) problems.push(at(entry, unknownTarget(target)));
      } else if (path.includes(name)) {
        reportLoop(entry, [...path.slice(path.indexOf(name)), name]);
      } else if (path.length >= MAX_NESTING) {
        problems.push(at(entry, `names are nested more than ${MAX_NESTING} deep: ${path[0]} → … → ${name}`));
      } else if (!seen.has(name)) {
        follow(next, [...path, name], seen, found);
      }
    }
  };

  const reportLoop = (entry: AliasEntry, loop: readonly string[]): void => {
    if (loop.some((name) => inLoops.has(name))) return;
    for (const name of loop) inLoops.add(name);
    problems.push(at(entry, `alias loop: ${loop.join(" → ")}: give one of them an address outside`));
  };

  for (const entry of file.entries) {
    const found = new Map<string, Mailbox>();
    follow(entry, [entry.name], new Set(), found);
    table.set(entry.name, [...found.values()]);
  }
  if (problems.length > 0) return { ok: false, problems: problems.sort((a, b) => a.line - b.line) };
  return { ok: true, table: { targets: (name) => table.get(asciiLower(name)), size: table.size } };
}

function localName(target: AliasTarget, local: ReadonlySet<string>): string | undefined {
  if (target.kind === "name") return target.name;
  return local.has(asciiLower(target.mailbox.domain)) ? asciiLower(target.mailbox.localPart) : undefined;
}

function unknownTarget(target: AliasTarget): string {
  if (target.kind === "name") return `"${target.name}" is neither an address nor a name in this file`;
  return `"${renderMailbox(target.mailbox)}" is at a domain of ours, and no name in this file: add it, or take it out here`;
}

function mailboxKey(mailbox: Mailbox): string {
  return renderMailbox({ localPart: mailbox.localPart, domain: asciiLower(mailbox.domain) });
}

function at(entry: AliasEntry, message: string): Problem {
  return { line: entry.line, column: 1, message };
}
