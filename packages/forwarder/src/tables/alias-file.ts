// The text of an aliases(5) file, as Postfix and Sendmail read it: `name: target, target`, quotes, comments, lines
// that begin with white space continue the one before. Called by load-tables.ts.
import { asciiLower, printable } from "@homing/srs-core";
import type { Problem } from "../problem.ts";
import { joinLines, type PhysicalLine, type PlacedText } from "./placed-text.ts";
import { type PlacedTarget, parseTargets, splitOutsideQuotes, unquoted } from "./target.ts";

export interface AliasEntry {
  /** ASCII lower case: names are compared without regard to case, as sendmail does. */
  readonly name: string;
  readonly line: number;
  readonly targets: readonly PlacedTarget[];
}

export interface AliasFile {
  readonly entries: readonly AliasEntry[];
  readonly problems: readonly Problem[];
}

export function parseAliasFile(text: string): AliasFile {
  const entries = new Map<string, AliasEntry>();
  const problems: Problem[] = [];
  for (const line of logicalLines(text, problems)) {
    const problem = (at: number, message: string) => problems.push({ ...line.place(at), message });
    const entry = parseEntry(line, problem);
    if (!entry) continue;
    const earlier = entries.get(entry.name);
    if (earlier) problem(0, `alias "${entry.name}" stands on line ${earlier.line} already: join the two`);
    else entries.set(entry.name, entry);
  }
  return { entries: [...entries.values()], problems };
}

export function* logicalLines(text: string, problems: Problem[]): Generator<PlacedText> {
  let parts: PhysicalLine[] = [];
  // A byte order mark is an editor's, not the operator's.
  for (const [index, raw] of text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .entries()) {
    const line = index + 1;
    if (/^\s*(?:#|$)/.test(raw)) continue;
    if (/^\s/.test(raw)) {
      if (parts.length > 0) parts.push({ line, text: raw });
      else
        problems.push({
          line,
          column: 1,
          message: "this line continues no entry: begin it in the first column",
        });
      continue;
    }
    if (parts.length > 0) yield joinLines(parts);
    parts = [{ line, text: raw }];
  }
  if (parts.length > 0) yield joinLines(parts);
}

type Report = (at: number, message: string) => void;

function parseEntry(line: PlacedText, report: Report): AliasEntry | undefined {
  const fields = splitOutsideQuotes(line.text, ":");
  const [head] = fields;
  if (!head || fields.length < 2) {
    const open = (line.text.split('"').length - 1) % 2 === 1;
    report(0, open ? 'a quote (") is not closed: close it' : 'no ":" after the name: write "name: address"');
    return undefined;
  }
  const name = unquoted(head.text.trim());
  if (name === "" || name.includes("@")) {
    report(
      0,
      name === ""
        ? "the name is empty"
        : `the name "${printable(name)}" has an @: write the part before it alone`,
    );
    return undefined;
  }
  if (name === "*") {
    report(
      0,
      '"*" is a wildcard to Exim: for all others of a domain, write "@domain target" into a virtual table',
    );
    return undefined;
  }
  // Also what a line that lost its colon becomes, with the line behind it.
  if (/\s/.test(name) && !head.text.trim().startsWith('"')) {
    report(0, `the name "${printable(name)}" has blanks: put it in quotes, or correct the lines`);
    return undefined;
  }
  if (name.includes("\ufffd")) report(0, "the file is not UTF-8: convert it");
  const targets = parseTargets(line, head.text.length + 1, report);
  return { name: asciiLower(name), line: line.place(0).line, targets };
}
