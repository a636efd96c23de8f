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

/** UTF-8 where the octets are, else latin1: every octet string is a text. */
export function readable(text: string, limit: number): string {
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
