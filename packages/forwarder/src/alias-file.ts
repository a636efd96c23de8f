// The text of an aliases(5) file, as Postfix and Sendmail read it: `name: target, target`, quotes, comments, lines
// that begin with white space continue the one before. Called by alias-table.ts, which follows names to their ends.
import { asciiLower, type Mailbox, parseMailbox, printable } from "@homing/srs-core";
import type { Problem } from "./problem.ts";

export type AliasTarget =
  | { readonly kind: "mailbox"; readonly mailbox: Mailbox }
  /** Another name of the same file. */
  | { readonly kind: "name"; readonly name: string };

export interface AliasEntry {
  /** ASCII lower case: names are compared without regard to case, as sendmail does. */
  readonly name: string;
  readonly line: number;
  readonly targets: readonly AliasTarget[];
}

export interface AliasFile {
  readonly entries: readonly AliasEntry[];
  readonly problems: readonly Problem[];
}

/** A logical line, with the place of each of its characters: problems are told where the operator sees them. */
interface Line {
  readonly text: string;
  readonly place: (at: number) => { readonly line: number; readonly column: number };
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

function* logicalLines(text: string, problems: Problem[]): Generator<Line> {
  let parts: { readonly line: number; readonly text: string }[] = [];
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
    if (parts.length > 0) yield joined(parts);
    parts = [{ line, text: raw }];
  }
  if (parts.length > 0) yield joined(parts);
}

function joined(parts: readonly { readonly line: number; readonly text: string }[]): Line {
  return {
    text: parts.map((part) => part.text).join(""),
    place(at) {
      let left = at;
      for (const part of parts) {
        if (left < part.text.length) return { line: part.line, column: left + 1 };
        left -= part.text.length;
      }
      const last = parts[parts.length - 1];
      return { line: last?.line ?? 1, column: (last?.text.length ?? 0) + 1 };
    },
  };
}

type Report = (at: number, message: string) => void;

function parseEntry(line: Line, report: Report): AliasEntry | undefined {
  const fields = splitOutsideQuotes(line.text, ":");
  const [head] = fields;
  if (!head || fields.length < 2) {
    report(0, 'no ":" after the name: write "name: address"');
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
  const from = head.text.length + 1;
  const targets = splitOutsideQuotes(line.text.slice(from), ",").flatMap((field) => {
    const target = parseTarget(field.text.trim());
    const at = from + field.at + (field.text.length - field.text.trimStart().length);
    if (target.ok) return [target.target];
    report(at, target.message);
    return [];
  });
  return { name: asciiLower(name), line: line.place(0).line, targets };
}

type ParsedTarget =
  | { readonly ok: true; readonly target: AliasTarget }
  | { readonly ok: false; readonly message: string };

function parseTarget(text: string): ParsedTarget {
  const bare = unquoted(text);
  if (bare === "") return { ok: false, message: "no address here: write one, or take the comma out" };
  if (bare.startsWith("|")) return notSupported("commands", "have the program read a mailbox instead");
  if (bare.startsWith("/")) return notSupported("files", "forward to an address whose server keeps the mail");
  if (bare.startsWith(":include:")) return notSupported(":include: lists", "write the addresses here");
  if (bare.startsWith("\\"))
    return notSupported("local copies (\\name)", "forward to an address that keeps the copy");
  if (!text.includes("@")) return { ok: true, target: { kind: "name", name: asciiLower(bare) } };
  const parsed = parseMailbox(text);
  if (!parsed.ok) return { ok: false, message: parsed.message };
  return { ok: true, target: { kind: "mailbox", mailbox: parsed.mailbox } };
}

function notSupported(what: string, instead: string): ParsedTarget {
  return { ok: false, message: `targets that are ${what} are not supported: ${instead}` };
}

function unquoted(text: string): string {
  if (text.length < 2 || !text.startsWith('"') || !text.endsWith('"')) return text;
  return text.slice(1, -1).replace(/\\(.)/g, "$1");
}

/** The pieces between separators that stand outside quotes, and where each begins. */
function splitOutsideQuotes(
  text: string,
  separator: ":" | ",",
): { readonly at: number; readonly text: string }[] {
  const pieces: { at: number; text: string }[] = [];
  let from = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === "\\" && quoted) at++;
    else if (char === '"') quoted = !quoted;
    else if (char === separator && !quoted) {
      pieces.push({ at: from, text: text.slice(from, at) });
      from = at + 1;
      // A name ends at the first colon; those behind it belong to targets such as :include:.
      if (separator === ":") break;
    }
  }
  pieces.push({ at: from, text: text.slice(from) });
  return pieces;
}
