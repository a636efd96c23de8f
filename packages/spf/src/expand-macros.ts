// Macros filled in (RFC 7208 §7.3): names for DNS, and the text of an explanation. The linter shows examples with it, the
// evaluator asks DNS.
import type { Macro, MacroString } from "./record.ts";

/** What a letter stands for, before it is transformed. */
export type MacroValue = (letter: Macro["letter"]) => string;

/** Of a name in DNS; from longer ones, labels go from the left (§7.3). */
const MAX_NAME = 253;

export function usesMacro({ parts }: MacroString, letters: string): boolean {
  return parts.some((part) => typeof part !== "string" && letters.includes(part.letter));
}

/** A name in lower case, without a trailing dot; not yet known to be one that DNS can be asked for. */
export function expandDomain({ parts }: MacroString, values: MacroValue): string {
  let name = "";
  // From the right, and no more than can be used: a hostile record asks for megabytes, or for nothing, often.
  for (const part of parts.slice(-MAX_NAME).reverse()) {
    name = expandPart(part, values) + name;
    if (name.length > MAX_NAME + 1) break;
  }
  if (name.endsWith(".")) name = name.slice(0, -1);
  if (name.length > MAX_NAME) name = name.slice(name.indexOf(".", name.length - MAX_NAME - 1) + 1);
  return name.toLowerCase();
}

/** @param max characters, behind which nothing more is filled in; and as many macros */
export function expandText({ parts }: MacroString, values: MacroValue, max: number): string {
  let text = "";
  for (const part of parts.slice(0, max)) {
    text += expandPart(part, values);
    if (text.length > max) break;
  }
  return text;
}

function expandPart(part: string | Macro, values: MacroValue): string {
  if (typeof part === "string") return part;
  const text = transform(values(part.letter), part);
  return part.escape ? urlEscape(text) : text;
}

function transform(value: string, { digits, reverse, delimiters }: Macro): string {
  if (digits === 0 && !reverse && delimiters === ".") return value;
  const labels = splitAt(value, delimiters);
  if (reverse) labels.reverse();
  return (digits === 0 ? labels : labels.slice(-digits)).join(".");
}

function splitAt(value: string, delimiters: string): string[] {
  if (delimiters.length === 1) return value.split(delimiters);
  const labels: string[] = [];
  let start = 0;
  for (let at = 0; at < value.length; at += 1) {
    if (!delimiters.includes(value.charAt(at))) continue;
    labels.push(value.slice(start, at));
    start = at + 1;
  }
  labels.push(value.slice(start));
  return labels;
}

/** RFC 3986 §2.3: all but the unreserved characters, as octets of UTF-8. */
function urlEscape(value: string): string {
  if (/^[\w.~-]*$/.test(value)) return value;
  let text = "";
  for (const octet of new TextEncoder().encode(value)) {
    const character = String.fromCharCode(octet);
    text += /[\w.~-]/.test(character) ? character : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}
