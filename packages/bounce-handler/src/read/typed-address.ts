// Typed addresses and values of a delivery status: `rfc822; bob@example.org`, `utf-8; j\x{F6}rg@example.org`, `dns; host`
// (RFC 3464 §2.1.2, RFC 6533 §3). Called by status-part.ts.
import { withoutComments } from "./content-type.ts";
import { readable, trimmed } from "./octet-text.ts";

/** Twice what RFC 5321 §4.5.3.1.3 allows a path: SRS and X.400 gateways need room. */
const MAX_ADDRESS = 512;
const MAX_VALUE = 1024;
const MAX_TYPE = 40;
/** The largest code point has six digits. */
const MAX_HEX = 6;

export interface TypedValue {
  /** Lower case; `""` where none is written. */
  readonly type: string;
  readonly value: string;
}

export function typedValue(field: string): TypedValue {
  const semicolon = field.indexOf(";");
  const type = field
    .slice(0, Math.min(Math.max(semicolon, 0), MAX_TYPE))
    .trim()
    .toLowerCase();
  // Some leave the type out, and have a semicolon in the text. Linear: one class.
  if (semicolon > MAX_TYPE || !/^[a-z0-9-]+$/.test(type)) return { type: "", value: trimmed(field) };
  return { type, value: trimmed(field.slice(semicolon + 1)) };
}

/** A host name or the like, without its type. */
export function plainValue(field: string | undefined): string | undefined {
  if (field === undefined) return undefined;
  const value = readable(trimmed(withoutComments(typedValue(field).value)), MAX_VALUE);
  return value === "" ? undefined : value;
}

/** Undefined where the field withholds it, as `x-…; withheld` does, or says nothing. */
export function typedAddress(field: string | undefined): string | undefined {
  if (field === undefined) return undefined;
  const { type, value } = typedValue(field.slice(0, 4 * MAX_ADDRESS));
  const bare = unwrapped(trimmed(withoutComments(value)));
  const isMail = type === "" || type === "rfc822" || type === "utf-8";
  if (bare === "" || !(isMail || bare.includes("@"))) return undefined;
  const text = readable(bare, 4 * MAX_ADDRESS);
  return (type === "utf-8" ? unescaped(text) : text).slice(0, MAX_ADDRESS);
}

/** Some write the angle brackets of a path. */
function unwrapped(text: string): string {
  const open = text.lastIndexOf("<");
  return open >= 0 && text.endsWith(">") ? trimmed(text.slice(open + 1, -1)) : text;
}

/** RFC 6533 §3: `\x{` and two to six hexadecimal digits stand for a code point. Whatever else begins so stays. */
function unescaped(text: string): string {
  let decoded = "";
  let from = 0;
  for (let at = text.indexOf("\\x{"); at >= 0; at = text.indexOf("\\x{", at + 3)) {
    const code = hexUpTo(text, at + 3);
    if (!code) continue;
    decoded += text.slice(from, at) + String.fromCodePoint(code.value);
    from = code.end + 1;
  }
  return decoded + text.slice(from);
}

/** Digits up to a closing brace. */
function hexUpTo(text: string, from: number): { readonly value: number; readonly end: number } | undefined {
  const end = text.indexOf("}", from);
  if (end <= from || end - from > MAX_HEX) return undefined;
  const digits = text.slice(from, end);
  // Linear: one class, bounded by MAX_HEX.
  if (!/^[0-9A-Fa-f]+$/.test(digits)) return undefined;
  const value = Number.parseInt(digits, 16);
  const isScalar = value <= 0x10ffff && (value < 0xd800 || value > 0xdfff);
  return isScalar ? { value, end } : undefined;
}
