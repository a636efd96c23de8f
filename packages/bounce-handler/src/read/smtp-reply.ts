// Finds an SMTP reply in a diagnostic or a line of text: `550 5.1.1 …`, `550-5.1.1`, `#550 5.1.10 …##`, `(#5.1.1)`.
// RFC 5321 §4.2, RFC 3463. Called by effective-status.ts and the free-text rules. A scanner, and no pattern: each character
// is looked at a bounded number of times.
import { readable, trimmed } from "./octet-text.ts";
import type { SmtpReply } from "./report.ts";

/** Of what is searched. A dialogue of more is cut. */
const MAX_SEARCHED = 8 * 1024;
const MAX_TEXT = 1024;
/** What may stand in front of a code: not a digit, a dot or a letter, which make it part of an address or a size. */
const BEFORE = " \t\n:;(<#\"'>,[";

/** @param text as latin1 */
export function findReply(text: string): SmtpReply | undefined {
  const searched = text.slice(0, MAX_SEARCHED);
  for (let at = 0; at + 3 <= searched.length; at++) {
    if (!isReplyCode(searched, at)) continue;
    const code = Number(searched.slice(at, at + 3));
    const behind = skipped(searched, at + 3);
    const enhanced = enhancedAt(searched, behind);
    if (at > 0 && enhanced === undefined && !isLikely(searched, at, code)) continue;
    const text = searched.slice(enhanced === undefined ? at + 4 : behind + enhanced.length);
    return { code, enhanced, text: readable(trimmed(text), MAX_TEXT) };
  }
  return undefined;
}

/** A status code on its own, not a version or an address: `5.1.1`, `#5.1.1`. */
export function findStatus(text: string): string | undefined {
  const searched = text.slice(0, MAX_SEARCHED);
  for (let at = 0; at + 5 <= searched.length; at++) {
    if (at > 0 && !BEFORE.includes(searched[at - 1] ?? "")) continue;
    const status = enhancedAt(searched, at);
    if (status !== undefined) return status;
  }
  return undefined;
}

/** `class.subject.detail` right here, and no longer number or host name. */
export function enhancedAt(text: string, at: number): string | undefined {
  const klass = text[at];
  if ((klass !== "2" && klass !== "4" && klass !== "5") || text[at + 1] !== ".") return undefined;
  const subjectEnd = digitsEnd(text, at + 2);
  if (subjectEnd === at + 2 || text[subjectEnd] !== ".") return undefined;
  const end = digitsEnd(text, subjectEnd + 1);
  if (end === subjectEnd + 1) return undefined;
  if (isDigit(text.charCodeAt(end)) || isLetter(text.charCodeAt(end))) return undefined;
  if (text[end] === "." && (isDigit(text.charCodeAt(end + 1)) || isLetter(text.charCodeAt(end + 1))))
    return undefined;
  return text.slice(at, end);
}

function isReplyCode(text: string, at: number): boolean {
  const first = text[at];
  if (first !== "2" && first !== "4" && first !== "5") return false;
  const second = text.charCodeAt(at + 1);
  if (second < 0x30 || second > 0x35 || !isDigit(text.charCodeAt(at + 2))) return false;
  const after = text[at + 3];
  if (after !== undefined && !" -\t\n:;)#".includes(after)) return false;
  return at === 0 || BEFORE.includes(text[at - 1] ?? "");
}

/** Without an enhanced code, a number in running text may be a size or a time. */
function isLikely(text: string, at: number, code: number): boolean {
  if (code < 400) return false;
  const before = text.slice(Math.max(0, at - 2), at).trimEnd();
  return before === "" || !/[0-9A-Za-z.]$/.test(before);
}

/** Behind the code: a blank or hyphen, and what some put before the enhanced one. */
function skipped(text: string, from: number): number {
  let at = from;
  const end = from + 4;
  while (at < end && " -\t\n(#:".includes(text[at] ?? "x")) at++;
  return at;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (at < from + 3 && isDigit(text.charCodeAt(at))) at++;
  return at;
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

function isLetter(code: number): boolean {
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x7a;
}
