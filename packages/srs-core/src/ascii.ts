// Text as octets, and its case. Used wherever addresses or tags are compared, measured or signed.
// Loops instead of Buffer calls: addresses are short, and each crossing into C++ costs more than its work.

const encoder = new TextEncoder();

/** No character above U+007F. */
export function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/**
 * Lower-cases A–Z and nothing else. Every peer folds ASCII only (RFC 5321 §2.4 leaves non-ASCII case alone), and so must
 * we: `String.toLowerCase` would sign "Ö" as "ö" and disagree with all of them.
 */
export function asciiLower(text: string): string {
  if (isAscii(text)) return text.toLowerCase();
  return text.replace(/[A-Z]+/g, (run) => run.toLowerCase());
}

/** Length on the wire: SMTP counts octets of UTF-8, not characters (RFC 6531 §3.2). */
export function octets(text: string): number {
  return isAscii(text) ? text.length : Buffer.byteLength(text, "utf8");
}

/** Writes UTF-8 into a buffer that has room for it, and gives the number of octets. */
export function writeUtf8(text: string, into: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return encoder.encodeInto(text, into.subarray(at)).written;
    into[at + index] = code;
  }
  return text.length;
}

/** By character code. A table, because a comparison would take longer for letters than for digits: tags pass here. */
const FOLDED = Uint8Array.from({ length: 0x80 }, (_, code) =>
  String.fromCharCode(code).toLowerCase().charCodeAt(0),
);

/** As `writeUtf8`, folded: what `asciiLower` would give, in one pass. */
export function writeFolded(text: string, into: Uint8Array, at: number): number {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code > 0x7f) return writeUtf8(asciiLower(text), into, at);
    into[at + index] = FOLDED[code] ?? code;
  }
  return text.length;
}
