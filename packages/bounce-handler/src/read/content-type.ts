// Content-Type and its parameters (RFC 2045 §5.1), leniently. One pass over a bounded value. Called by parts.ts.
import { trimmed } from "./octet-text.ts";

export interface ContentType {
  /** Lower case, as `text/plain`. */
  readonly type: string;
  /** Names in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
}

/** More than any report has. */
const MAX_PARAMETERS = 32;

export function parseContentType(value: string): ContentType {
  const end = value.indexOf(";");
  const type = withoutComments(end < 0 ? value : value.slice(0, end))
    .trim()
    .toLowerCase();
  const parameters = new Map<string, string>();
  let at = end < 0 ? value.length : end + 1;
  while (at < value.length && parameters.size < MAX_PARAMETERS) {
    const one = parameterAt(value, at);
    if (one.name !== "" && !parameters.has(one.name)) parameters.set(one.name, one.value);
    at = one.end;
  }
  return { type, parameters };
}

interface Parameter {
  readonly name: string;
  readonly value: string;
  /** Behind its semicolon. */
  readonly end: number;
}

function parameterAt(text: string, from: number): Parameter {
  const semicolon = indexOrEnd(text, ";", from);
  const equals = text.indexOf("=", from);
  if (equals < 0 || equals > semicolon) return { name: "", value: "", end: semicolon + 1 };
  const name = text.slice(from, equals).trim().toLowerCase();
  let at = equals + 1;
  while (text[at] === " " || text[at] === "\t") at++;
  if (text[at] === '"') {
    const { value, end } = quotedAt(text, at);
    return { name, value, end: indexOrEnd(text, ";", end) + 1 };
  }
  const bare = trimmed(withoutComments(text.slice(at, semicolon)));
  return { name, value: bare.split(" ", 1)[0] ?? "", end: semicolon + 1 };
}

/** A string that is never closed goes to the end. */
function quotedAt(text: string, quote: number): { readonly value: string; readonly end: number } {
  let value = "";
  let at = quote + 1;
  for (; at < text.length && text[at] !== '"'; at++) {
    if (text[at] === "\\" && at + 1 < text.length) at++;
    value += text[at];
  }
  return { value, end: at + 1 };
}

/** RFC 5322 §3.2.2, also for the fields of a status part. A comment that is never closed goes to the end. */
export function withoutComments(text: string): string {
  if (!text.includes("(")) return text;
  let kept = "";
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] ?? "";
    if (character === "\\" && (quoted || depth > 0)) {
      if (depth === 0) kept += text.slice(at, at + 2);
      at++;
    } else if (character === '"' && depth === 0) {
      quoted = !quoted;
      kept += character;
    } else if (character === "(" && !quoted) depth++;
    else if (character === ")" && !quoted && depth > 0) depth--;
    else if (depth === 0) kept += character;
  }
  return kept;
}

function indexOrEnd(text: string, what: string, from: number): number {
  const at = text.indexOf(what, from);
  return at < 0 ? text.length : at;
}
