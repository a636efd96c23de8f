// A privacy oracle for tests, made apart from the one in reissue/: what of these words can be read in a message, after whatever
// decoding. Called by tests.

/** Octets as characters, one to one. */
type Octets = string;

/** Base64 of a whole part and of single words, wherever it begins; the rest as servers write it. */
const DECODED: readonly ((text: Octets) => Octets)[] = [
  (text) => base64Runs(text.replace(/\r\n(?=[A-Za-z0-9+/=])/g, "")),
  base64Runs,
  (text) => text.replace(/=\r\n/g, "").replace(/=([0-9a-f]{2})/gi, fromHex),
  (text) => text.replace(/\?=\s+=\?/g, "?==?").replace(/=\?[^?]+\?q\?([^?]*)\?=/gi, (_, word) => word),
  (text) => base64Runs(text.replace(/\?=\s+=\?[^?]+\?b\?/gi, "")),
  (text) => text.replace(/%([0-9a-f]{2})/gi, fromHex),
  (text) => text.replace(/\+([0-9a-f]{2})/gi, fromHex),
  (text) => text.replace(/\\([0-3][0-7]{2})/g, (_, digits) => fromCode(Number.parseInt(digits, 8))),
  (text) =>
    text.replace(/\\x\{([0-9a-f]+)\}|&#x([0-9a-f]+);/gi, (_, a, b) => character(Number.parseInt(a ?? b, 16))),
  (text) => text.replace(/&#([0-9]+);/g, (_, digits) => character(Number(digits))),
  (text) => text.replace(/\b(?:[0-9a-f]{2}){4,}\b/gi, (run) => Buffer.from(run, "hex").toString("latin1")),
];

/** The words that can be read outside of what is allowed, each with where. One of two letters or less: as a word alone. */
export function leaksIn(message: string, words: readonly string[], allowed: readonly string[]): string[] {
  // Before anything is decoded, too: half an address that is allowed looks like base64.
  const octets = Buffer.from(without(message, allowed), "utf8").toString("latin1");
  const once = DECODED.map((decoded) => decoded(octets));
  const twice = once.flatMap((text) => DECODED.map((decoded) => decoded(text)));
  const leaks: string[] = [];
  for (const text of new Set([octets, ...once, ...twice])) {
    for (const reading of readings(text, allowed)) {
      for (const word of words) {
        const at = placeOf(word.toLowerCase(), reading);
        if (at >= 0) leaks.push(`${word}: ${reading.slice(Math.max(0, at - 40), at + 60)}`);
      }
    }
  }
  return leaks;
}

/** As UTF-8, and octet by octet. */
function readings(octets: Octets, allowed: readonly string[]): string[] {
  const texts = [...new Set([Buffer.from(octets, "latin1").toString("utf8"), octets])];
  return texts.map((text) => without(text.toLowerCase(), allowed));
}

function without(text: string, allowed: readonly string[]): string {
  return allowed.reduce((rest, known) => withoutOne(rest, known.toLowerCase()), text);
}

/** In whatever case it stands. */
function withoutOne(text: string, known: string): string {
  const lower = text.toLowerCase();
  let kept = "";
  let from = 0;
  for (let at = lower.indexOf(known); at >= 0; at = lower.indexOf(known, from)) {
    kept += `${text.slice(from, at)}¶`;
    from = at + known.length;
  }
  return kept + text.slice(from);
}

function placeOf(word: string, reading: string): number {
  if (word.length > 2) return reading.indexOf(word);
  return reading.split(/[^\p{L}\p{N}]+/u).includes(word) ? reading.indexOf(word) : -1;
}

function base64Runs(text: Octets): Octets {
  return text.replace(/[A-Za-z0-9+/_-]{4,}={0,2}/g, (run) =>
    [0, 1, 2, 3].map((from) => Buffer.from(run.slice(from), "base64").toString("latin1")).join(" "),
  );
}

function fromHex(_: string, hex: string): Octets {
  return fromCode(Number.parseInt(hex, 16));
}

function fromCode(octet: number): Octets {
  return String.fromCharCode(octet);
}

function character(code: number): Octets {
  return code > 0x10ffff ? "" : Buffer.from(String.fromCodePoint(code), "utf8").toString("latin1");
}
