// Text of unknown charset, held as octets in characters one to one. Rules match ASCII only; what goes out is UTF-8 where it is
// UTF-8. Called all over read/.
import { isUtf8 } from "node:buffer";

/** Lines may still end in any way: a part in base64 has its own line ends. */
export function withLineFeeds(text: string): string {
  return text.includes("\r") ? text.replaceAll("\r\n", "\n").replaceAll("\r", "\n") : text;
}

export function linesOf(text: string): string[] {
  return withLineFeeds(text).split("\n");
}

/** Without white space at its ends: `trim` takes the octet 0xA0 for a blank, with which many a UTF-8 letter ends. */
export function trimmed(text: string): string {
  let from = 0;
  while (from < text.length && isBlank(text.charCodeAt(from))) from++;
  return trimmedEnd(from === 0 ? text : text.slice(from));
}

export function trimmedEnd(text: string): string {
  let end = text.length;
  while (end > 0 && isBlank(text.charCodeAt(end - 1))) end--;
  return end === text.length ? text : text.slice(0, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09 || code === 0x0d || code === 0x0a;
}

/** UTF-8 where the octets are, else latin1: every octet string is a text. */
export function readable(text: string, limit: number): string {
  // Linear: one class. Of ASCII there is no other reading, and most text is.
  if (!/[^\0-\x7f]/.test(text)) return text.length > limit ? text.slice(0, limit) : text;
  const octets = Buffer.from(text, "latin1");
  if (isUtf8(octets)) {
    const whole = octets.toString("utf8");
    return whole.length > limit ? whole.slice(0, limit).replace(/[\ud800-\udbff]$/, "") : whole;
  }
  return text.slice(0, limit);
}

/**
 * Drops what ISO-2022 shifts away from ASCII (RFC 1468): those octets look like punctuation, at signs among them. A line that
 * never shifts back ends in ASCII.
 */
export function withoutShiftedText(line: string): string {
  let shift = line.indexOf("\x1b$");
  if (shift < 0) return line;
  let kept = "";
  let from = 0;
  while (shift >= 0) {
    kept += line.slice(from, shift);
    const back = line.indexOf("\x1b(", shift);
    if (back < 0) return kept;
    from = back + 3;
    shift = line.indexOf("\x1b$", from);
  }
  return kept + line.slice(from);
}
