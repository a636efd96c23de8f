// Finds mail addresses in running text. Scanners: each looks left and right of an at sign no further than its neighbours, so
// a line costs what it is long. Called by bounce-text.ts, finders.ts and judge.ts.

export interface FoundAddress {
  readonly address: string;
  /** Where it begins, with its bracket or quote, and where the text goes on. */
  readonly from: number;
  readonly end: number;
}

/** SRS addresses are longer than RFC 5321 §4.5.3.1.1 allows. */
const MAX_LOCAL = 256;
const MAX_DOMAIN = 255;
const ATEXT = "!#$%&'*+-/=?^_`{|}~.";
const X400_PREFIX = "SMTP=".length;
/** Marks of a list in front of an address. */
const BULLETS = " \t*-<\"'>";

/** The first at or behind `from`. */
export function findAddress(text: string, from = 0): FoundAddress | undefined {
  for (let at = text.indexOf("@", from); at >= 0; at = text.indexOf("@", at + 1)) {
    const found = addressAround(text, at, from);
    if (found) return found;
  }
  return undefined;
}

/** The address that a line begins with, after a mark of a list or an opening bracket. */
export function headAddress(line: string): FoundAddress | undefined {
  let start = 0;
  while (start < line.length && BULLETS.includes(line[start] ?? "x")) start++;
  if (start === line.length) return undefined;
  const at = line.indexOf("@", start);
  if (at < 0 || at - start > MAX_LOCAL) return undefined;
  const found = addressAround(line, at, 0);
  return found && found.from <= start ? found : undefined;
}

function addressAround(text: string, at: number, from: number): FoundAddress | undefined {
  let localStart = text[at - 1] === '"' ? quotedStart(text, at, from) : atomStart(text, at, from);
  const domainEnd = endOfDomain(text, at + 1);
  if (localStart >= at || domainEnd === at + 1) return undefined;
  const domain = text.slice(at + 1, domainEnd);
  if (!domain.includes(".") && !domain.startsWith("[") && domain !== "localhost") return undefined;
  // X.400 has it in a domain-defined attribute: `dda:SMTP=bob@example.org`.
  if (text.startsWith("SMTP=", localStart)) localStart += X400_PREFIX;
  const bracket = text[localStart - 1] === "<" ? 1 : 0;
  const closing = bracket === 1 && text[domainEnd] === ">" ? 1 : 0;
  return { address: text.slice(localStart, domainEnd), from: localStart - bracket, end: domainEnd + closing };
}

function atomStart(text: string, at: number, from: number): number {
  const lowest = Math.max(from, at - MAX_LOCAL);
  let start = at;
  while (start > lowest && isAtext(text.charCodeAt(start - 1))) start--;
  // A word in front of a colon or quote is not part of it; a leading apostrophe is a quotation mark.
  while (start < at && (text[start] === "'" || text[start] === "." || text[start] === "`")) start++;
  return start;
}

function quotedStart(text: string, at: number, from: number): number {
  const open = text.lastIndexOf('"', at - 2);
  return open >= from && at - open <= MAX_LOCAL ? open : at;
}

function endOfDomain(text: string, from: number): number {
  const limit = Math.min(text.length, from + MAX_DOMAIN);
  if (text[from] === "[") {
    // Not to the end of the text: `a@[a@[…` would be looked through from each at sign.
    const close = text.slice(from, limit).indexOf("]");
    return close < 0 ? from : from + close + 1;
  }
  let end = from;
  while (end < limit && isDomainCharacter(text.charCodeAt(end))) end++;
  while (end > from && (text[end - 1] === "." || text[end - 1] === "-")) end--;
  return end;
}

function isAtext(code: number): boolean {
  return isAlphanumeric(code) || ATEXT.includes(String.fromCharCode(code));
}

function isDomainCharacter(code: number): boolean {
  return isAlphanumeric(code) || code === 0x2d || code === 0x2e || code === 0x5f;
}

/** Octets above ASCII are parts of UTF-8. */
function isAlphanumeric(code: number): boolean {
  const letter = code | 0x20;
  return (code >= 0x30 && code <= 0x39) || (letter >= 0x61 && letter <= 0x7a) || code >= 0x80;
}
