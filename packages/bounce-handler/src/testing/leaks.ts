// A privacy oracle for tests, made apart from the one in reissue/: what of these words can be read in a message, after whatever
// decoding. Called by tests.

/** Base64 of a whole part and of single words; the rest as servers write it. */
const DECODED: readonly ((text: string) => string)[] = [
  (text) => text.replace(/\r\n(?=[A-Za-z0-9+/=])/g, "").replace(/[A-Za-z0-9+/]{4,}={0,2}/g, atobLossy),
  (text) => text.replace(/[A-Za-z0-9+/]{4,}={0,2}/g, atobLossy),
  (text) => text.replace(/=\r\n/g, "").replace(/=([0-9a-f]{2})/gi, fromHex),
  (text) => text.replace(/\?=\s+=\?/g, "?==?").replace(/=\?[^?]+\?q\?([^?]*)\?=/gi, (_, word) => word),
  (text) => text.replace(/\?=\s+=\?[^?]+\?b\?/gi, "").replace(/[A-Za-z0-9+/]{4,}={0,2}/g, atobLossy),
  (text) => text.replace(/%([0-9a-f]{2})/gi, fromHex),
  (text) => text.replace(/\+([0-9a-f]{2})/gi, fromHex),
  (text) => text.replace(/\\([0-7]{3})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 8))),
  (text) => text.replace(/\\x\{([0-9a-f]+)\}|&#x([0-9a-f]+);/gi, (_, a, b) => fromHex(_, a ?? b)),
  (text) => text.replace(/&#([0-9]+);/g, (_, digits) => String.fromCharCode(Number(digits))),
  (text) => text.replace(/\b(?:[0-9a-f]{2}){4,}\b/gi, (run) => Buffer.from(run, "hex").toString()),
];

/** The words that can be read outside of what is allowed, each with where. */
export function leaksIn(message: string, words: readonly string[], allowed: readonly string[]): string[] {
  const once = DECODED.map((decoded) => decoded(message));
  const twice = once.flatMap((text) => DECODED.map((decoded) => decoded(text)));
  const leaks: string[] = [];
  for (const text of new Set([message, ...once, ...twice])) {
    let reading = text.toLowerCase();
    for (const known of allowed) reading = reading.replaceAll(known.toLowerCase(), "¶");
    for (const word of words) {
      const at = reading.indexOf(word.toLowerCase());
      if (at >= 0) leaks.push(`${word}: ${reading.slice(Math.max(0, at - 40), at + 60)}`);
    }
  }
  return leaks;
}

function atobLossy(word: string): string {
  return Buffer.from(word, "base64").toString("utf8");
}

function fromHex(_: string, hex: string): string {
  return String.fromCharCode(Number.parseInt(hex, 16));
}
