// Fields of a header or a status block, from lines of text that are all there (RFC 5322 §2.2, RFC 3464 §2.1). Called by
// status-part.ts and returned.ts.
import { trimmed } from "./octet-text.ts";
import type { HeaderField } from "./report.ts";

/** A Diagnostic-Code with a long dialogue is below. */
const MAX_VALUE = 8 * 1024;
const MAX_NAME = 100;

/** Its name as it stands, or undefined. Linear: characters are looked at once, and only the first hundred. */
export function fieldName(line: string): string | undefined {
  const end = Math.min(line.length, MAX_NAME);
  for (let at = 0; at < end; at++) {
    const code = line.charCodeAt(at);
    if (code === 0x3a) return at === 0 ? undefined : line.slice(0, at);
    if (!isNameCharacter(code))
      return onlyBlanksBeforeColon(line, at) && at > 0 ? line.slice(0, at) : undefined;
  }
  return undefined;
}

export interface OpenField {
  readonly name: string;
  value: string;
}

/** @param line one that has a field name */
export function openField(name: string, line: string): OpenField {
  const value = trimmed(line.slice(line.indexOf(":", name.length) + 1));
  return { name, value: value.slice(0, MAX_VALUE) };
}

/** Unfolds: what white space there was becomes one blank. */
export function continueField(field: OpenField, line: string): void {
  const more = trimmed(line);
  if (more === "" || field.value.length >= MAX_VALUE) return;
  field.value += `${field.value === "" ? "" : " "}${more.slice(0, MAX_VALUE)}`;
}

export interface HeaderBlock {
  readonly fields: readonly HeaderField[];
  /** An empty line ended it. */
  readonly ended: boolean;
}

/** Lines up to the first empty one. What is no field, such as the mbox line, is passed over. */
export function readHeaderBlock(lines: readonly string[], from = 0): HeaderBlock {
  const fields: OpenField[] = [];
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (line === "") return { fields, ended: true };
    const last = fields.at(-1);
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (last) continueField(last, line);
      continue;
    }
    const name = fieldName(line);
    if (name !== undefined) fields.push(openField(name, line));
  }
  return { fields, ended: false };
}

/** Letters, digits and hyphens: all that fields of mail have. An address or a time at the start of a line is no name. */
function isNameCharacter(code: number): boolean {
  return (
    (code >= 0x61 && code <= 0x7a) ||
    (code >= 0x41 && code <= 0x5a) ||
    (code >= 0x30 && code <= 0x39) ||
    code === 0x2d ||
    code === 0x5f
  );
}

function onlyBlanksBeforeColon(line: string, from: number): boolean {
  let at = from;
  while (at < MAX_NAME && (line[at] === " " || line[at] === "\t")) at++;
  return at > from && line[at] === ":";
}
