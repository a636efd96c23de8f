// Finds what looks like a mail address in a text of somebody else's making, such as another server's reply, and puts
// something else in its place. Called by mask-events.ts. One pass: no octet is looked at more than a few times.

/** @param localPart as it stands there; @param domain empty, if none stands there */
export type ReplaceAddress = (localPart: string, domain: string) => string;

/**
 * `%40` is an at sign in a URL, and servers put the recipient into those of their help pages; `%2540` is one in a URL
 * inside another, `=40` before a host's name one in quoted-printable (RFC 2045 §6.7).
 */
const AT = /@|%(?:25){0,3}40|=40(?=\p{L})/gu;
const QUOTED_PRINTABLE = "=40";
/** What stands around an address. Everything else may be in a local part: rather too much is hidden than too little. */
const EDGE = /[\s\p{Cc}<>()[\],;:"]/u;
/** "[IPv6:", 45 characters and "]" are 52. */
const MAX_LITERAL = 60;
/** A comment (RFC 5322 §3.2.2), or what is no address and was given a domain all the same: `"alice" <x>@home.example`. */
const OPENING: Readonly<Record<string, string>> = { ")": "(", ">": "<" };
/** Bounds the search for an opening bracket. */
const MAX_BRACKETED = 256;
const DOMAIN_CHARACTER = /[\p{L}\p{M}\p{N}._-]/u;

export function replaceAddresses(text: string, replace: ReplaceAddress): string {
  let done = 0;
  let result = "";
  for (const { 0: sign, index } of text.matchAll(AT)) {
    // Inside what the address before took.
    if (index < done) continue;
    const end = domainEnd(text, index + sign.length);
    // SRS addresses hold one, too: `SRS0=40bk…=`. The at sign behind it is the one.
    if (sign === QUOTED_PRINTABLE && !endsThere(text, end)) continue;
    const start = localPartStart(text, index, done);
    if (start === index) continue;
    result += text.slice(done, start);
    result += replace(text.slice(start, index), text.slice(index + sign.length, end));
    done = end;
  }
  return result + text.slice(done);
}

function endsThere(text: string, end: number): boolean {
  return end === text.length || EDGE.test(text.charAt(end)) || ".?&".includes(text.charAt(end));
}

/** Goes back from the at sign, and never before `from`. */
function localPartStart(text: string, at: number, from: number): number {
  let start = beforeBrackets(text, at, from);
  if (text[start - 1] === '"' && start > from) return quoteStart(text, start - 1, from);
  while (start > from && !EDGE.test(text.charAt(start - 1))) start--;
  return start;
}

function beforeBrackets(text: string, at: number, from: number): number {
  const opening = at > from ? OPENING[text.charAt(at - 1)] : undefined;
  if (opening === undefined) return at;
  const first = Math.max(from, at - MAX_BRACKETED);
  const open = text.slice(first, at).lastIndexOf(opening);
  let start = open < 0 ? at - 1 : first + open;
  while (start > first && text[start - 1] === " ") start--;
  return start;
}

/** Where the quoted string that ends at `end` begins. If its beginning is cut off, all of the text may be in it. */
function quoteStart(text: string, end: number, from: number): number {
  for (let start = end - 1; start >= from; start--) {
    if (text[start] !== '"') continue;
    let backslashes = 0;
    while (start - backslashes > from && text[start - backslashes - 1] === "\\") backslashes++;
    if (backslashes % 2 === 0) return start;
  }
  return from;
}

function domainEnd(text: string, from: number): number {
  if (text[from] === "[") {
    const bracket = text.slice(from, from + MAX_LITERAL).indexOf("]");
    if (bracket >= 0) return from + bracket + 1;
  }
  let end = from;
  while (end < text.length && DOMAIN_CHARACTER.test(text.charAt(end))) end++;
  // The dot that ends a sentence.
  while (end > from && text[end - 1] === ".") end--;
  return end;
}
