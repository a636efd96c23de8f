// Finds what looks like a mail address in a text of somebody else's making, such as another server's reply, and puts
// something else in its place. Called by mask-events.ts. One pass: no octet is looked at more than a few times.

/** @param localPart as it stands there; @param domain empty, if none stands there */
export type ReplaceAddress = (localPart: string, domain: string) => string;

/** `%40` is an at sign in a URL, and servers put the recipient into those of their help pages. */
const AT = /@|%40/g;
/** What stands around an address. Everything else may be in a local part: rather too much is hidden than too little. */
const EDGE = /[\s\p{Cc}<>()[\],;:"]/u;
/** "[IPv6:", 45 characters and "]" are 52. */
const MAX_LITERAL = 60;
const DOMAIN_CHARACTER = /[\p{L}\p{M}\p{N}._-]/u;

export function replaceAddresses(text: string, replace: ReplaceAddress): string {
  let done = 0;
  let result = "";
  for (const { 0: sign, index } of text.matchAll(AT)) {
    // Inside what the address before took.
    if (index < done) continue;
    const start = localPartStart(text, index, done);
    const end = domainEnd(text, index + sign.length);
    if (start === index) continue;
    result += text.slice(done, start);
    result += replace(text.slice(start, index), text.slice(index + sign.length, end));
    done = end;
  }
  return result + text.slice(done);
}

/** Goes back from the at sign, and never before `from`. */
function localPartStart(text: string, at: number, from: number): number {
  if (text[at - 1] === '"' && at > from) return quoteStart(text, at - 1, from);
  let start = at;
  while (start > from && !EDGE.test(text.charAt(start - 1))) start--;
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
