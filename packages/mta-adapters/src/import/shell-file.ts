// Assignments as a shell reads them (`NAME="value"`), which /etc/default/postsrsd of PostSRSd 1 is made of. Nothing is run:
// what only a shell can tell is a problem. Called by postsrsd-file.ts.
import { printable } from "@homing/srs-core";
import { type Assignment, NotParsed, type ParsedFile, parsed } from "./assignments.ts";

const NAME = /^(?:export[ \t]{1,20})?([A-Za-z_][A-Za-z0-9_]{0,60})=/;
const SHELL_ONLY = /[`$]/;
const ENDS_WORD = /[ \t;&|]/;

export function parseShellFile(text: string): ParsedFile {
  return parsed(() => {
    const assignments: Assignment[] = [];
    for (const [index, raw] of text.split("\n").entries()) {
      const line = index + 1;
      const content = raw.trim();
      if (content === "" || content.startsWith("#")) continue;
      const name = NAME.exec(content);
      if (!name?.[1])
        throw new NotParsed(
          line,
          `"${printable(content, 40)}" is no assignment: write NAME=value, or remove it`,
        );
      assignments.push({ name: name[1], values: [wordAt(content, name[0].length, line)], line });
    }
    return assignments;
  });
}

/** One word of the shell's: parts in quotes and without stand side by side. */
function wordAt(content: string, start: number, line: number): string {
  let word = "";
  let quote = "";
  for (let at = start; at < content.length; at++) {
    const char = content.charAt(at);
    if (quote === "" && ENDS_WORD.test(char)) {
      checkRest(content, { start, at, line });
      return word;
    }
    if (char === quote) quote = "";
    else if (quote === "" && (char === '"' || char === "'")) quote = char;
    else if (quote !== "'" && SHELL_ONLY.test(char))
      throw new NotParsed(line, `"${char}" is for a shell to work out: write the value itself`);
    else if (quote !== "'" && char === "\\") word += content.charAt(++at);
    else word += char;
  }
  if (quote === "") return word;
  throw new NotParsed(line, `the string has no end: write ${quote} behind it, on the same line`);
}

interface Rest {
  /** Where the value begins, and where its first word ends. */
  readonly start: number;
  readonly at: number;
  readonly line: number;
}

/** Behind the word: a comment, or a further command. */
function checkRest(content: string, { start, at, line }: Rest): void {
  const rest = content.slice(at).trim();
  if (rest === "" || rest === ";" || rest.startsWith("#")) return;
  const value = content.slice(start);
  const remedy = /["'#;&|\\]/.test(value)
    ? "put the value in quotes, and nothing behind it"
    : `write ${printable(`${content.slice(0, start)}"${value}"`, 200)}`;
  throw new NotParsed(
    line,
    `"${printable(rest, 40)}" stands behind the value, and is a command to the shell: ${remedy}`,
  );
}
