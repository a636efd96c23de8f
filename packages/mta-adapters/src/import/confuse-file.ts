// libconfuse's format, which PostSRSd 2 has: `name = value`, strings in quotes, lists in braces, comments in three forms.
// Called by postsrsd-file.ts.
import { printable } from "@homing/srs-core";
import { type Assignment, NotParsed, type ParsedFile, parsed } from "./assignments.ts";

interface Token {
  /** A sign stands for itself: `=`, `+=`, `{`, `}` or a comma. */
  readonly kind: "text" | "sign" | "end";
  readonly text: string;
  readonly line: number;
}

const BETWEEN = /[ \t\r\n]/;
const SIGN = /[={},]/;
/** Where a string without quotes ends. */
const NOT_IN_TEXT = /[ \t\r\n"'={}(),#]/;
const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", b: "\b", f: "\f", "\n": "" };

export function parseConfuseFile(text: string): ParsedFile {
  return parsed(() => {
    const tokens = tokensOf(text);
    const assignments: Assignment[] = [];
    for (let at = 0; tokens[at]?.kind !== "end"; ) {
      const { assignment, next } = assignmentAt(tokens, at);
      assignments.push(assignment);
      at = next;
    }
    return assignments;
  });
}

function assignmentAt(tokens: readonly Token[], at: number): { assignment: Assignment; next: number } {
  const name = tokenAt(tokens, at);
  if (name.kind !== "text") throw misplaced(name, "the name of a setting");
  const equals = tokenAt(tokens, at + 1);
  if (equals.kind !== "sign" || !equals.text.endsWith("="))
    throw misplaced(equals, `= behind ${printable(name.text, 40)}`);
  const value = tokenAt(tokens, at + 2);
  const { line, text } = name;
  if (value.kind === "text") return { assignment: { name: text, values: [value.text], line }, next: at + 3 };
  if (value.text !== "{") throw misplaced(value, `a value of ${printable(text, 40)}`);
  const { values, next } = listAt(tokens, at + 3);
  return { assignment: { name: text, values, line }, next };
}

/** Behind its opening brace. */
function listAt(tokens: readonly Token[], start: number): { values: string[]; next: number } {
  const values: string[] = [];
  for (let at = start; ; at++) {
    const token = tokenAt(tokens, at);
    if (token.kind === "text") values.push(token.text);
    else if (token.kind === "sign" && token.text === "}") return { values, next: at + 1 };
    else if (token.text !== ",") throw misplaced(token, "a value or } in a list");
  }
}

function tokenAt(tokens: readonly Token[], at: number): Token {
  return tokens[at] ?? tokens.at(-1) ?? { kind: "end", text: "", line: 1 };
}

function misplaced(token: Token, expected: string): NotParsed {
  const found = token.kind === "end" ? "the file ends" : `"${printable(token.text, 40)}" stands`;
  return new NotParsed(
    token.line,
    `${found} where ${expected} is expected: correct this line or the one before`,
  );
}

function tokensOf(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let line = 1;
  for (let at = 0; at < text.length; ) {
    const begin = at;
    const char = text.charAt(at);
    const comment = endOfComment(text, at);
    if (comment !== undefined) {
      if (comment < 0)
        throw new NotParsed(line, "the comment that begins here has no end: write */ behind it");
      at = comment;
    } else if (BETWEEN.test(char)) {
      at++;
    } else if (char === '"' || char === "'") {
      const quoted = quotedAt(text, at);
      if (!quoted)
        throw new NotParsed(line, `the string that begins here has no end: write ${char} behind it`);
      tokens.push({ kind: "text", text: quoted.value, line });
      at = quoted.next;
    } else if (SIGN.test(char) || text.startsWith("+=", at)) {
      at += char === "+" ? 2 : 1;
      tokens.push({ kind: "sign", text: text.slice(begin, at), line });
    } else {
      while (at < text.length && !NOT_IN_TEXT.test(text.charAt(at)) && !text.startsWith("+=", at)) at++;
      if (at === begin)
        throw new NotParsed(line, `"${char}" stands where nothing of PostSRSd's has one: remove it`);
      tokens.push({ kind: "text", text: text.slice(begin, at), line });
    }
    line += linesIn(text, begin, at);
  }
  return [...tokens, { kind: "end", text: "", line }];
}

/** Undefined where none begins, −1 where one has no end. */
function endOfComment(text: string, at: number): number | undefined {
  if (text.startsWith("/*", at)) {
    const end = text.indexOf("*/", at + 2);
    return end < 0 ? -1 : end + 2;
  }
  if (!text.startsWith("#", at) && !text.startsWith("//", at)) return undefined;
  const end = text.indexOf("\n", at);
  return end < 0 ? text.length : end;
}

/** In single quotes only the quote and the backslash itself are escaped. */
function quotedAt(text: string, start: number): { value: string; next: number } | undefined {
  const quote = text.charAt(start);
  let value = "";
  for (let at = start + 1; at < text.length; at++) {
    const char = text.charAt(at);
    if (char === quote) return { value, next: at + 1 };
    if (char !== "\\") {
      value += char;
      continue;
    }
    const next = text.charAt(++at);
    value += quote === '"' ? (ESCAPES[next] ?? next) : next === quote || next === "\\" ? next : `\\${next}`;
  }
  return undefined;
}

function linesIn(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; at++) if (text.charAt(at) === "\n") lines++;
  return lines;
}
