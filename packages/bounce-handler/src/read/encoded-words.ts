// Encoded words in the value of a header field (RFC 2047). Called by origin.ts.

/** Octets as characters, one to one. */
type Octets = string;

/** Linear in a bounded value: each class ends at its delimiter, and none is longer than a word may be in practice. */
const WORD = /=\?([^?=\s]{0,60})\?([bBqQ])\?([^?]{0,1000})\?=/g;
/** Blanks between two words are no part of the text (§6.2). */
const BETWEEN = /\?=[ \t\r\n]{1,10}=\?/g;

/** @param asText what the octets of a word say in its charset, whose name is in lower case */
export function decodeWords(value: string, asText: (octets: Octets, charset: string) => string): string {
  return value
    .replace(BETWEEN, "?==?")
    .replace(WORD, (_, charset: string, encoding: string, word: string) =>
      asText(encoding.toLowerCase() === "b" ? fromBase64(word) : fromQ(word), charset.toLowerCase()),
    );
}

function fromBase64(word: string): Octets {
  return Buffer.from(word, "base64").toString("latin1");
}

function fromQ(word: string): Octets {
  // Linear: a fixed length of three.
  return word
    .replaceAll("_", " ")
    .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
