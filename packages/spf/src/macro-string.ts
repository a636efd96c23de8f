// Macro strings (RFC 7208 §7.1): text with `%{…}` taken apart once, so that an evaluation only fills in. Called by
// parse-record.ts for terms, and by explanation.ts for the text behind `exp=`.
import { printable } from "./printable.ts";
import type { Macro, MacroString } from "./record.ts";

/**
 * `domain` is a domain-spec: ends in a top-level label or a macro. `modifier` is the value of a modifier that nobody
 * knows. `explanation` may have spaces, and the letters c, r and t (§7.2).
 */
export type MacroPlace = "domain" | "modifier" | "explanation";

export type ParsedMacroString = { readonly kind: "macro-string"; readonly value: MacroString } | Wrong;

interface Wrong {
  readonly kind: "wrong";
  readonly problem: string;
}

/** Text where it stands for a character, and where the next one begins. */
type Expand = { readonly kind: "part"; readonly part: string | Macro; readonly end: number } | Wrong;

/** Its pieces exclude each other, so that it never goes back. */
const MACRO = /\{([slodiphvcrt])([0-9]*)(r?)([.\-+,/_=]*)\}/iy;
const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["%", "%"],
  ["_", " "],
  ["-", "%20"],
]);
/** Of a name of 253 octets: more labels than this do not exist. */
const MAX_DIGITS = 128;

export function parseMacroString(text: string, place: MacroPlace): ParsedMacroString {
  const literal = place === "explanation" ? /[^\x20-\x7e]/ : /[^\x21-\x7e]/;
  if (literal.test(text)) return wrong("has characters that are not printable ASCII");
  const parts: (string | Macro)[] = [];
  let run = "";
  let at = 0;
  for (let percent = text.indexOf("%"); percent >= 0; percent = text.indexOf("%", at)) {
    run += text.slice(at, percent);
    const expand = parseExpand(text, percent, place);
    if (expand.kind === "wrong") return expand;
    at = expand.end;
    if (typeof expand.part === "string") {
      run += expand.part;
      continue;
    }
    if (run !== "") parts.push(run);
    run = "";
    parts.push(expand.part);
  }
  const rest = text.slice(at);
  if (place === "domain" && !isDomainEnd(rest, at > 0)) return wrong(badEnd(text));
  run += rest;
  if (run !== "") parts.push(run);
  return { kind: "macro-string", value: { text, parts } };
}

/** macro-expand. @param percent where it begins */
function parseExpand(text: string, percent: number, place: MacroPlace): Expand {
  const resolved = ESCAPES.get(text[percent + 1] ?? "");
  if (resolved !== undefined) return { kind: "part", part: resolved, end: percent + 2 };
  MACRO.lastIndex = percent + 1;
  const match = MACRO.exec(text);
  if (match === null) return wrong(`"${printable(text.slice(percent), 24)}" is not a macro`);
  const [, letter = "", digits = "", reverse, delimiters = ""] = match;
  const lower = letter.toLowerCase() as Macro["letter"];
  if (place !== "explanation" && "crt".includes(lower)) return wrong(`%{${lower}} is for explanations only`);
  if (digits !== "" && Number(digits) === 0) return wrong("a macro keeps 0 labels");
  const part: Macro = {
    letter: lower,
    escape: letter !== lower,
    digits: Math.min(Number(digits), MAX_DIGITS),
    reverse: reverse !== "",
    delimiters: delimiters === "" ? "." : delimiters,
  };
  return { kind: "part", part, end: MACRO.lastIndex };
}

/** domain-end. @param rest behind the last macro */
function isDomainEnd(rest: string, hasMacro: boolean): boolean {
  if (rest === "") return hasMacro;
  const name = rest.endsWith(".") ? rest.slice(0, -1) : rest;
  const dot = name.lastIndexOf(".");
  return dot >= 0 && isTopLabel(name.slice(dot + 1));
}

function isTopLabel(label: string): boolean {
  return /^[a-z0-9-]+$/i.test(label) && !/^-|-$|^[0-9]+$/.test(label);
}

function badEnd(text: string): string {
  return text === "" ? "the domain is missing" : `"${printable(text, 40)}" does not end like a domain`;
}

function wrong(problem: string): Wrong {
  return { kind: "wrong", problem };
}
